/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ADD_16X8_H
#define NN_ADD_16X8_H

#include "nn/elementwise_16x8.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * Sum or difference of two int16 tensors: both are brought to a common scale with 15 more bits, added, and
 * brought to the output's. Where all scales are powers of two, the finer operand is shifted instead.
 */
typedef struct {
    broadcast_t axes;
    int32_t multiplier_a, right_a;
    int32_t multiplier_b, right_b;
    int32_t multiplier_output, right_output;
    int32_t low, high; /* clamp */
} add_16x8_t;

DSP_INLINE int16_t add_16x8_of(const add_16x8_t *layer, int32_t a, int32_t b, int32_t sign)
{
    const int32_t sum = requantize_multiply(a * (1 << 15), layer->multiplier_a, 0, layer->right_a) +
                        sign * requantize_multiply(b * (1 << 15), layer->multiplier_b, 0, layer->right_b);
    const int32_t value = requantize_multiply(sum, layer->multiplier_output, 0, layer->right_output);
    return (int16_t)requantize_clamp(value, layer->low, layer->high);
}

DSP_INLINE int16_t add_16x8_sum(const void *layer, int32_t a, int32_t b)
{
    return add_16x8_of(layer, a, b, 1);
}

DSP_INLINE int16_t add_16x8_minus(const void *layer, int32_t a, int32_t b)
{
    return add_16x8_of(layer, a, b, -1);
}

DSP_INLINE int16_t add_16x8_of_shifted(const add_16x8_t *layer, int32_t a, int32_t b, int32_t sign)
{
    const int32_t sum = requantize_shift(a, layer->right_a) + sign * requantize_shift(b, layer->right_b);
    return (int16_t)requantize_clamp(sum, layer->low, layer->high);
}

DSP_INLINE int16_t add_16x8_sum_shifted(const void *layer, int32_t a, int32_t b)
{
    return add_16x8_of_shifted(layer, a, b, 1);
}

DSP_INLINE int16_t add_16x8_minus_shifted(const void *layer, int32_t a, int32_t b)
{
    return add_16x8_of_shifted(layer, a, b, -1);
}

/* All are of int16, aligned to 2, and may work in place of an operand of the output's shape. */
KERNEL void add_16x8(const add_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, add_16x8_sum, layer);
}

KERNEL void add_16x8_difference(const add_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, add_16x8_minus, layer);
}

KERNEL void add_16x8_shifted(const add_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, add_16x8_sum_shifted, layer);
}

KERNEL void add_16x8_shifted_difference(const add_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, add_16x8_minus_shifted, layer);
}

#endif
