/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_POINTWISE_CONV_2D_H
#define NN_POINTWISE_CONV_2D_H

#include "nn/conv_block.h"
#include "nn/widen.h"
#include <stdint.h>

/*
 * Convolution of one tap: every position's channels alone. They are widened straight into a block of three
 * positions (nn/conv_block.h), so the weights of four taps stand in the order 0 2 1 3 (nn/widen.h). Layout:
 * rows, columns, channels.
 */
typedef struct {
    conv_block_t block;
    int32_t rows, columns;         /* of the output; one row where strides are 1 */
    int32_t depth;                 /* of the input */
    int32_t row_step, column_step; /* bytes of the input from one output row, column to the next */
} pointwise_conv_2d_t;

DSP_INLINE void pointwise_conv_2d_all(const pointwise_conv_2d_t *layer, const int8_t *input, int8_t *output,
                                      void *scratch, int general)
{
    uint32_t *block = scratch;
    int8_t *spare = (int8_t *)(block + 6 * layer->block.steps);
    int32_t waiting = 0; /* positions in the block; it may hold some of the row before */
    for (int32_t i = 0; i < layer->rows; i++, input += layer->row_step) {
        const int8_t *from = input;
        for (int32_t left = layer->columns; left > 0;) {
            int32_t count = waiting == 0 && left >= 3 && layer->depth % 4 == 0 ? 3 : 1;
            if (count == 1) {
                widen_place_one_crossed(block + waiting, from, layer->depth);
            } else {
                widen_place_three_crossed(block, from, layer->column_step, layer->depth);
            }
            from += count * layer->column_step;
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
 * scratch, aligned to 4: 24 * block.steps bytes, and 3 * block.depth. May work in place where the generator
 * has seen that the outputs never reach a position that is not widened yet.
 */
KERNEL void pointwise_conv_2d(const pointwise_conv_2d_t *layer, const int8_t *input, int8_t *output,
                              void *scratch)
{
    pointwise_conv_2d_all(layer, input, output, scratch, 0);
}

/* Any multiplier, weight and clamp. */
KERNEL void pointwise_conv_2d_general(const pointwise_conv_2d_t *layer, const int8_t *input, int8_t *output,
                                      void *scratch)
{
    pointwise_conv_2d_all(layer, input, output, scratch, 1);
}

#endif
