/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ADD_H
#define NN_ADD_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * Sum or difference of two int8 tensors: both are brought to a common scale with 20 more bits, added, and
 * brought to the output's.
 */
typedef struct {
    broadcast_t axes;
    int32_t multiplier_a, right_a;
    int32_t multiplier_b, right_b;
    int32_t multiplier_output, right_output;
    int32_t zero_a, zero_b;        /* of the operands */
    int32_t zero_point, low, high; /* of the output */
} add_t;

DSP_INLINE int8_t add_of(const add_t *layer, int32_t a, int32_t b, int32_t sign)
{
    int32_t wide_a = (a - layer->zero_a) * (1 << 20), wide_b = (b - layer->zero_b) * (1 << 20);
    int32_t sum = requantize_multiply(wide_a, layer->multiplier_a, 0, layer->right_a) +
                  sign * requantize_multiply(wide_b, layer->multiplier_b, 0, layer->right_b);
    int32_t value = requantize_multiply(sum, layer->multiplier_output, 0, layer->right_output);
    return (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
}

DSP_INLINE int8_t add_sum(const void *layer, int32_t a, int32_t b)
{
    return add_of(layer, a, b, 1);
}

DSP_INLINE int8_t add_minus(const void *layer, int32_t a, int32_t b)
{
    return add_of(layer, a, b, -1);
}

/* Both may work in place of an operand of the output's shape. */
KERNEL void add(const add_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, add_sum, layer);
}

KERNEL void add_difference(const add_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, add_minus, layer);
}

#endif
