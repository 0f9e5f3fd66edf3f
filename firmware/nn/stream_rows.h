/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_ROWS_H
#define NN_STREAM_ROWS_H

#include "nn/stream_move.h"
#include <stdint.h>
#include <string.h>

/*
 * The newest rows of a tensor, oldest first, as they lie in it: for layers that read older rows, several
 * layers that read the same ones, and layers that read all of time. Row `index` of a full run, from 0, stands
 * at its own place until there is none left; from then on each new row drops the oldest.
 */
typedef struct {
    int8_t *values; /* rows * size, aligned to 8 */
    int32_t rows;
    int32_t size; /* of a row */
} stream_rows_t;

/* Makes room for row `index`, and gives its place. */
KERNEL int8_t *stream_rows_next(const stream_rows_t *stream, int32_t index)
{
    const int32_t kept = (stream->rows - 1) * stream->size;
    if (index < stream->rows) {
        return stream->values + index * stream->size;
    }
    stream_move(stream->values, stream->size, kept);
    return stream->values + kept;
}

/* A row becomes row `index`. */
KERNEL void stream_rows_push(const stream_rows_t *stream, int32_t index, const int8_t *row)
{
    memcpy(stream_rows_next(stream, index), row, (size_t)stream->size);
}

/* The first of the `count` newest rows, when row `index` is the newest. */
DSP_INLINE const int8_t *stream_rows_last(const stream_rows_t *stream, int32_t index, int32_t count)
{
    const int32_t newest = index < stream->rows ? index : stream->rows - 1;
    return stream->values + (newest + 1 - count) * stream->size;
}

#endif
