/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MULTIPLY_16X8_H
#define NN_MULTIPLY_16X8_H

#include "nn/elementwise_16x8.h"
#include "nn/requantize.h"
#include <stdint.h>

/* Product of two int16 tensors. */
typedef struct {
    broadcast_t axes;
    int32_t multiplier, left, right; /* from the product to the output */
    int32_t low, high;               /* clamp */
} multiply_16x8_t;

DSP_INLINE int16_t multiply_16x8_product(const void *of, int32_t a, int32_t b)
{
    const multiply_16x8_t *layer = of;
    int32_t value = requantize_multiply(a * b, layer->multiplier, layer->left, layer->right);
    return (int16_t)requantize_clamp(value, layer->low, layer->high);
}

/* int16, aligned to 2. May work in place of an operand of the output's shape. */
KERNEL void multiply_16x8(const multiply_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, multiply_16x8_product, layer);
}

#endif
