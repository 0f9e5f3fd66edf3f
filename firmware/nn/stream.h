/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_H
#define NN_STREAM_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>

/*
 * What a layer keeps of its input while time moves by one row, for incremental inference: of every column the
 * last `rows` rows, oldest first, `depth` values each, side by side:
 *
 *     column 0: row t-1, row t     column 1: row t-1, row t     ...
 *
 * so that a kernel of `rows` rows reads one run at every column. Values are the tensor's int8, widened once,
 * when made. Columns of padding stand before and after; they keep the zero point that stream_clear gave
 * them.
 */
typedef struct {
    int16_t *values; /* columns * rows * depth, aligned to 4 */
    int32_t columns; /* with padding */
    int32_t left;    /* columns of padding in front */
    int32_t rows;
    int32_t depth;
    int32_t zero_point;
} stream_t;

/* Everything becomes the zero point. */
KERNEL void stream_clear(const stream_t *stream)
{
    for (int32_t i = 0; i < stream->columns * stream->rows * stream->depth; i++) {
        stream->values[i] = (int16_t)stream->zero_point;
    }
}

/* The newest row's first column; the columns of a row lie rows * depth values apart. */
DSP_INLINE int16_t *stream_newest(const stream_t *stream)
{
    return stream->values + (stream->left * stream->rows + stream->rows - 1) * stream->depth;
}

/* Time moves on: every row becomes the one before it, and the newest waits to be written. */
KERNEL void stream_age(const stream_t *stream)
{
    const int32_t run = stream->rows * stream->depth, kept = run - stream->depth;
    int16_t *column = stream->values;
    if (kept > 0 && kept % 8 == 0 && stream->depth % 2 == 0) {
        dsp_move_columns(column, stream->depth, run, kept, stream->columns);
        return;
    }
    for (int32_t i = 0; i < stream->columns; i++, column += run) {
        for (int32_t j = 0; j < kept; j++) {
            column[j] = column[j + stream->depth];
        }
    }
}

/* A row of int8 becomes the newest. */
KERNEL void stream_push(const stream_t *stream, const int8_t *row, int32_t columns)
{
    int16_t *column = stream_newest(stream);
    for (int32_t i = 0; i < columns; i++, column += stream->rows * stream->depth) {
        for (int32_t j = 0; j < stream->depth; j++) {
            column[j] = *row++;
        }
    }
}

/*
 * Rows of int8 kept elsewhere become the newest ones: `rows` of them, the first at `from`, `apart` values
 * from one to the next.
 */
KERNEL void stream_unfold(const stream_t *stream, const int8_t *from, int32_t columns, int32_t rows,
                          int32_t apart)
{
    int16_t *newest = stream_newest(stream) - (rows - 1) * stream->depth;
    for (int32_t row = 0; row < rows; row++, from += apart, newest += stream->depth) {
        const int8_t *next = from;
        int16_t *column = newest;
        for (int32_t i = 0; i < columns; i++, column += stream->rows * stream->depth) {
            for (int32_t j = 0; j < stream->depth; j++) {
                column[j] = *next++;
            }
        }
    }
}

/* A row made as int16, `pitch` values a column of which `depth` count, as int8. */
KERNEL void stream_narrow(int8_t *to, int32_t columns, int32_t depth, int32_t pitch, const int16_t *row)
{
    for (int32_t i = 0; i < columns; i++, row += pitch) {
        for (int32_t j = 0; j < depth; j++) {
            *to++ = (int8_t)row[j];
        }
    }
}

#endif
