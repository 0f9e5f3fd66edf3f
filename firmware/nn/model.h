/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* Memory of tensors and working memory, a block of it: of every type that layers and stages keep there, for C
 * lets an object be reached by its own types alone, and by bytes. */
typedef union {
    _Alignas(16) int8_t int8[16];
    int16_t int16[8];
    int32_t int32[4];
    int64_t int64[2];
} arena_t;

#define ARENA_BLOCKS(bytes) (((bytes) + sizeof(arena_t) - 1) / sizeof(arena_t))

/* Constants that are read from RAM, where the start puts them as it does initial values: in place of const,
 * and in a section of their own, so that no compiler finds that nobody writes them, and leaves them in the
 * flash. */
#if defined(__GNUC__) && defined(__ELF__)
#define IN_RAM __attribute__((section(".data.weights")))
#else
#define IN_RAM
#endif

/* What an engine provides for one model: `aot` generates it, `tflm` wraps it. */
typedef struct {
    const char *name;
    size_t input_size, output_size; /* bytes */
    int (*start)(void);             /* 0, or the engine's error */
    void (*reset)(void);            /* forgets streaming state and history */

    /* The whole tensor in the model's own type; primes the history. 0, or the engine's error. */
    int (*run)(const void *input, void *output);

    /* One frame's new columns, then the layers after the time axis; NULL: not incremental. */
    void (*advance)(const int8_t *frame);
    void (*finish)(void *output);
    size_t catch_up;  /* from this many missed frames on, run() is cheaper than advance() */
    size_t more_runs; /* decisions in a row that run() makes after the first, before advance() may follow */
} model_t;

#endif
