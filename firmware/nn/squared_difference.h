/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SQUARED_DIFFERENCE_H
#define NN_SQUARED_DIFFERENCE_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* (a - b)^2 of two int8 tensors: both are brought to a common scale with 7 more bits. */
typedef struct {
    broadcast_t axes;
    int32_t zero_a, zero_b; /* of the operands */
    int32_t multiplier_a, right_a;
    int32_t multiplier_b, right_b;
    int32_t multiplier, left, right; /* of the square */
    int32_t zero_point;              /* of the output */
} squared_difference_t;

DSP_INLINE int8_t squared_difference_of(const void *kernel, int32_t a, int32_t b)
{
    const squared_difference_t *layer = kernel;
    int32_t wide_a = (a - layer->zero_a) * (1 << 7), wide_b = (b - layer->zero_b) * (1 << 7);
    int32_t difference = requantize_multiply(wide_a, layer->multiplier_a, 0, layer->right_a) -
                         requantize_multiply(wide_b, layer->multiplier_b, 0, layer->right_b);
    int32_t value =
        requantize_multiply(difference * difference, layer->multiplier, layer->left, layer->right);
    return (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
}

/* May work in place of an operand of the output's shape. */
KERNEL void squared_difference(const squared_difference_t *layer, const int8_t *a, const int8_t *b,
                               int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, squared_difference_of, layer);
}

#endif
