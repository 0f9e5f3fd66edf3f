/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DIVIDE_H
#define NN_DIVIDE_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* a / b of two int8 tensors: a times the inverse of b from a table, with as many bits as a leaves free. */
typedef struct {
    broadcast_t axes;
    const int32_t *inverse;        /* [256], of b from -128 on: 2^floor(log2 |b|) / |b| in Q31 */
    int32_t multiplier, shift;     /* multiplier * 2^(shift - 31) */
    int32_t zero_a, zero_b;        /* of the operands */
    int32_t zero_point, low, high; /* of the output */
} divide_t;

/* Bits by which the value can be shifted left. */
DSP_INLINE int32_t divide_headroom(int32_t value)
{
    if (value == 0) {
        return 31;
    }
    return value > 0 ? __builtin_clz((uint32_t)value) - 1 : __builtin_clz(2 * (uint32_t)-value - 1);
}

/* A divisor of 0, at which the references stop, is taken for 1. */
DSP_INLINE int8_t divide_of(const void *kernel, int32_t a, int32_t b)
{
    const divide_t *layer = kernel;
    int32_t dividend = a - layer->zero_a, divisor = b - layer->zero_b;
    if (divisor < 0) {
        dividend = -dividend;
        divisor = -divisor;
    }
    const int32_t headroom = divide_headroom(dividend);
    const int32_t over = divisor == 0 ? 0 : 31 - __builtin_clz((uint32_t)divisor);
    int32_t value = requantize_high((int32_t)((uint32_t)dividend << headroom), layer->inverse[b + 128]);
    value = requantize_shift(requantize_high(value, layer->multiplier), over + headroom - layer->shift);
    return (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
}

/* May work in place of an operand of the output's shape. */
KERNEL void divide(const divide_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, divide_of, layer);
}

#endif
