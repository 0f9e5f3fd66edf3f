/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MULTIPLY_H
#define NN_MULTIPLY_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* Product of two int8 tensors. */
typedef struct {
    broadcast_t axes;
    int32_t multiplier, left, right;
    int32_t zero_a, zero_b;        /* of the operands */
    int32_t zero_point, low, high; /* of the output */
} multiply_t;

DSP_INLINE int8_t multiply_of(const void *kernel, int32_t a, int32_t b)
{
    const multiply_t *layer = kernel;
    int32_t product = (a - layer->zero_a) * (b - layer->zero_b);
    int32_t value = requantize_multiply(product, layer->multiplier, layer->left, layer->right);
    return (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
}

/* May work in place of an operand of the output's shape. */
KERNEL void multiply(const multiply_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, multiply_of, layer);
}

#endif
