/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_ENGINE_H
#define TFLM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* TensorFlow Lite Micro's interpreter behind the functions of model_t. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tflm_state tflm_state_t; /* the interpreter; state.h */

/* One model; everything points into flash but the arena and the state. */
typedef struct {
    const void *flatbuffer;        /* the .tflite, aligned to 16 */
    const void *(*resolver)(void); /* a tflite::MicroOpResolver; NULL: an operator was refused */
    uint8_t *arena;                /* aligned to 16 */
    size_t arena_size;
    size_t input_size, output_size; /* bytes: of several all, each at a multiple of four */
    int output;                     /* which of the model's is read, from 0; -1: all */
    int variables;                  /* that a streaming model keeps */
    tflm_state_t *state;
} tflm_t;

/* What the functions below return, and an error line's detail. */
enum {
    TFLM_OK = 0,
    TFLM_SCHEMA = 1,    /* the file is of a schema that this TFLM does not read */
    TFLM_OPERATORS = 2, /* the resolver refused an operator */
    TFLM_ARENA = 3,     /* the arena is too small, or a kernel refuses its layer */
    TFLM_ENDS = 4,      /* input or output have other sizes than the generator saw */
    TFLM_RUN = 5,       /* a kernel failed */
    TFLM_NOT_STARTED = 6,
    TFLM_LOG = 7,  /* words of TFLM itself */
    TFLM_HALT = 8, /* it cannot go on */
};

int tflm_start(const tflm_t *tflm);

/* Streaming models begin anew; of others nothing lasts. */
void tflm_reset(const tflm_t *tflm);
int tflm_run(const tflm_t *tflm, const void *input, void *output);

/* Bytes of the arena that a started interpreter says it uses. */
size_t tflm_arena_used(const tflm_t *tflm);

/* Each kind of image says it in its own way: tflm/device/ in a line of the protocol. */
void tflm_report(int error, const char *what);

/* TFLM cannot go on: an assertion failed. */
void tflm_halt(const char *what) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
