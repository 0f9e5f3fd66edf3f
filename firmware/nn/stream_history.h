/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_HISTORY_H
#define NN_STREAM_HISTORY_H

#include "nn/stream_move.h"
#include <stdint.h>

/* All rows of a tensor, oldest first, widened to int16: what a dense layer after streams reads. */
typedef struct {
    int16_t *values; /* rows * size, aligned to 8, and what the dense kernel's loop reads after them */
    int32_t rows;
    int32_t size; /* of a row */
} stream_history_t;

/* The place of row `index` of a full run, from 0; from `rows` on the oldest is dropped for it. */
KERNEL int16_t *stream_history_next(const stream_history_t *history, int32_t index)
{
    const int32_t size = history->size, kept = (history->rows - 1) * size;
    if (index < history->rows) {
        return history->values + index * size;
    }
    stream_move(history->values, 2 * size, 2 * kept);
    return history->values + kept;
}

/* A row of int8, widened. */
KERNEL void stream_widen(int16_t *to, const int8_t *row, int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        to[i] = row[i];
    }
}

#endif
