/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CONV_2D_H
#define NN_CONV_2D_H

#include "nn/conv_block.h"
#include "nn/widen.h"
#include <stdint.h>
#include <string.h>

/*
 * Convolution of any geometry. The rows of the input that a row of the output reads are kept widened to
 * int16, with their padding, in a ring: every row is widened once. From there the taps of three positions at
 * a time go to a block (nn/conv_block.h). Layout: rows, columns, channels.
 *
 * A position's taps are runs of consecutive values: of each row of the kernel one, or, where columns are
 * dilated, one for each of its columns. A run of an odd length takes one value more, whose weight is 0.
 */
typedef struct {
    conv_block_t block;
    int32_t rows, columns, depth;  /* of the input */
    int32_t out_rows, out_columns; /* of the output */
    int32_t kernel_rows;           /* taps */
    int32_t row_stride, row_dilation;
    int32_t top, left;  /* padding, in rows and columns */
    int32_t held;       /* rows of the ring: from the first to the last that a position reads */
    int32_t pitch;      /* values from one row of the ring to the next, even */
    int32_t step;       /* values from one position to the next */
    int32_t runs, run;  /* in a row of the kernel, and values in each, even */
    int32_t run_step;   /* values from one run to the next */
    int32_t aligned;    /* runs are whole quads of taps and lie at whole words */
    int32_t zero_point; /* of the input */
} conv_2d_t;

/* Where rows of the ring come from and go to. next: row of the input, -top at first; slot: of the ring */
typedef struct {
    int16_t *ring;
    int32_t next, slot;
} conv_2d_ring_t;

DSP_INLINE void conv_2d_fill(int16_t *values, int32_t count, int32_t value)
{
    for (int32_t i = 0; i < count; i++) {
        values[i] = (int16_t)value;
    }
}

/* Widens rows of the input until `last` is in the ring. */
DSP_INLINE void conv_2d_advance(const conv_2d_t *layer, conv_2d_ring_t *from, const int8_t *input,
                                int32_t last)
{
    const int32_t count = layer->columns * layer->depth;
    for (; from->next <= last; from->next++) {
        int16_t *row = from->ring + from->slot * layer->pitch + layer->left * layer->depth;
        if (from->next >= 0 && from->next < layer->rows) {
            widen(row, input + from->next * count, count);
        } else {
            conv_2d_fill(row, count, layer->zero_point);
        }
        from->slot = from->slot + 1 == layer->held ? 0 : from->slot + 1;
    }
}

/* The taps of `count` positions, `column` values into a row, to places of a block. All three, or one. */
DSP_INLINE void conv_2d_gather(const conv_2d_t *layer, const conv_2d_ring_t *from, int32_t column,
                               int32_t count, uint32_t *to)
{
    int32_t slot = from->slot; /* after the newest row comes the oldest */
    for (int32_t i = 0; i < layer->kernel_rows; i++) {
        const int16_t *run = from->ring + slot * layer->pitch + column;
        for (int32_t j = 0; j < layer->runs; j++, run += layer->run_step) {
            to = count == 1       ? widen_place_one(to, run, layer->run)
                 : layer->aligned ? widen_place_three(to, run, layer->step, layer->run)
                                  : widen_place_three_anywhere(to, run, layer->step, layer->run);
        }
        slot += layer->row_dilation;
        slot = slot >= layer->held ? slot - layer->held : slot;
    }
}

DSP_INLINE void conv_2d_all(const conv_2d_t *layer, const int8_t *input, int8_t *output, void *scratch,
                            int general)
{
    uint32_t *block = scratch;
    conv_2d_ring_t rows = {(int16_t *)(block + 6 * layer->block.steps), -layer->top, 0};
    int8_t *spare = (int8_t *)(rows.ring + layer->held * layer->pitch);
    int32_t waiting = 0; /* positions in the block; it may hold some of the row before */
    conv_2d_fill(rows.ring, layer->held * layer->pitch, layer->zero_point);
    for (int32_t i = 0; i < layer->out_rows; i++) {
        conv_2d_advance(layer, &rows, input, i * layer->row_stride - layer->top + layer->held - 1);
        for (int32_t left = layer->out_columns, column = 0; left > 0;) {
            int32_t count = waiting == 0 && left >= 3 ? 3 : 1;
            conv_2d_gather(layer, &rows, column, count, block + waiting);
            column += count * layer->step;
            left -= count;
            waiting += count;
            if (waiting == 3) {
                conv_block(&layer->block, block, output, 3, spare, general);
                output += 3 * layer->block.depth;
                waiting = 0;
            }
        }
    }
    if (waiting > 0) {
        conv_block(&layer->block, block, output, waiting, spare, general);
    }
}

/*
 * scratch, aligned to 4: 24 * block.steps bytes, the ring's held * pitch int16, and 3 * block.depth bytes.
 * May work in place where the generator has seen that no row is overwritten before it is widened.
 */
KERNEL void conv_2d(const conv_2d_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    conv_2d_all(layer, input, output, scratch, 0);
}

/* Any multiplier, weight and clamp. */
KERNEL void conv_2d_general(const conv_2d_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    conv_2d_all(layer, input, output, scratch, 1);
}

#endif
