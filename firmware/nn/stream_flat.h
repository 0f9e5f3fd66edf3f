/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_FLAT_H
#define NN_STREAM_FLAT_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>
#include <string.h>

/*
 * What a layer keeps of its input where frames are copied one after the other into a picture of another
 * width (layout "scrambled"): the newest positions of the flat picture. A kernel of `rows` x n taps over rows
 * of `width` positions reads, for the position p of its output, p + i * width + j: the same offsets at every
 * p, also where p stands at the end of a row. Those outputs belong to no row of the picture, and nobody reads
 * them in the end.
 */
typedef struct {
    int16_t *values;   /* positions * depth, aligned to 4 */
    int32_t positions; /* kept */
    int32_t step;      /* that come with a frame */
    int32_t depth;
    int32_t rows;    /* of the kernel that reads it */
    int32_t width;   /* positions from one of its rows to the next */
    int32_t columns; /* positions at which it stands, and those that its last columns reach */
} stream_flat_t;

/* The newest positions, to be written after stream_flat_shift. */
DSP_INLINE int16_t *stream_flat_newest(const stream_flat_t *stream)
{
    return stream->values + (stream->positions - stream->step) * stream->depth;
}

/* Makes room for the positions of a new frame. */
KERNEL void stream_flat_shift(const stream_flat_t *stream)
{
    const int32_t moved = stream->step * stream->depth, kept = stream->positions * stream->depth - moved;
    if (kept > 0 && kept % 16 == 0 && moved % 2 == 0) {
        dsp_move_down(stream->values, stream->values + moved, kept);
    } else {
        memmove(stream->values, stream->values + moved, (size_t)kept * sizeof *stream->values);
    }
}

/* A frame becomes the newest positions; depth 1. */
KERNEL void stream_flat_push(const stream_flat_t *stream, const int8_t *frame)
{
    int16_t *newest = stream_flat_newest(stream);
    for (int32_t i = 0; i < stream->step; i++) {
        newest[i] = frame[i];
    }
}

/* The taps of every position side by side, as nn/stream_conv_2d.h reads them: `run` values a column. */
KERNEL void stream_flat_unfold(const stream_flat_t *stream, int32_t run, int16_t *columns)
{
    const int32_t depth = stream->depth;
    for (int32_t row = 0; row < stream->rows; row++) {
        const int16_t *from = stream->values + row * stream->width * depth;
        int16_t *to = columns + row * depth;
        if (depth == 16) {
            dsp_spread_16(to, from, run, stream->columns);
        } else if (depth == 8) {
            dsp_spread_8(to, from, run, stream->columns);
        } else {
            for (int32_t i = 0; i < stream->columns; i++, to += run) {
                for (int32_t j = 0; j < depth; j++) {
                    to[j] = *from++;
                }
            }
        }
    }
}

/* Rows of the picture, `size` values each, `pitch` values apart, one after the other. */
KERNEL void stream_flat_rows(const int16_t *from, int32_t rows, int32_t size, int32_t pitch, int16_t *to)
{
    for (int32_t row = 0; row < rows; row++, from += pitch, to += size) {
        if (size % 8 == 0) {
            dsp_spread_8(to, from, 8, size / 8);
        } else {
            memcpy(to, from, (size_t)size * sizeof *to);
        }
    }
}

#endif
