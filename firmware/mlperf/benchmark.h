/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_BENCHMARK_H
#define MLPERF_BENCHMARK_H

#include "port/port.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The energy mode: pins that a power monitor and the benchmark's interface board read. Their numbers are
 * those of board.h. */
typedef struct {
    uint32_t baud; /* of the serial line */
    port_pin_t timestamp;
    port_pin_t processing, detected; /* of the streaming task alone */
} energy_t;

/* What the generator says of the task and of the model's ends: one an image, beside the app. */
typedef struct {
    const char *model;   /* by which the runner chooses its test: "kws01" */
    const char *profile; /* of the serial interface */
    char *command;       /* the longest command of the runner fits */
    size_t command_size;

    uint8_t *received; /* what `db` fills: NULL where that is the model's input itself */
    size_t size;       /* bytes of it */
    uint8_t flipped;   /* bits that differ between a received byte and the model's value */

    /* Where the model gets floats, 4 bytes each, as its input: the least float of each level above the
     * lowest, as rescale_from_float.h wants them; else NULL. */
    const int32_t *levels;

    /* What each level of the output stands for, the lowest first: in thousandths, for `results`; where the
     * result is how far the output is from the input, in 65536ths. */
    const int32_t *values;
    size_t outputs;

    /* The streaming task: `db` fills up to `size` bytes of sound, which goes through the app's pipeline. */
    bool streams;

    const energy_t *energy; /* NULL: the performance mode, timestamps are text */
} benchmark_t;

extern const benchmark_t benchmark;

#endif
