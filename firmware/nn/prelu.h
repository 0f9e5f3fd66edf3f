/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_PRELU_H
#define NN_PRELU_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* The first operand, times the second where it is below zero. */
typedef struct {
    broadcast_t axes;
    int32_t zero_a, zero_b; /* of the operands */
    int32_t multiplier_above, left_above, right_above;
    int32_t multiplier_below, left_below, right_below;
    int32_t zero_point; /* of the output */
} prelu_t;

DSP_INLINE int8_t prelu_of(const void *kernel, int32_t a, int32_t b)
{
    const prelu_t *layer = kernel;
    int32_t value = a - layer->zero_a;
    if (value >= 0) {
        value = requantize_multiply(value, layer->multiplier_above, layer->left_above, layer->right_above);
    } else {
        value = requantize_multiply(value * (b - layer->zero_b), layer->multiplier_below, layer->left_below,
                                    layer->right_below);
    }
    return (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
}

/* May work in place of an operand of the output's shape. */
KERNEL void prelu(const prelu_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, prelu_of, layer);
}

#endif
