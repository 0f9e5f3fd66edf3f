/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SIGMOID_16X8_H
#define NN_SIGMOID_16X8_H

#include "dsp/dsp.h"
#include <stdint.h>

/*
 * Logistic function and hyperbolic tangent of int16, as TFLite defines them: 256 values of 1 / (1 + exp(-x))
 * at steps of 1/24, and straight lines between them; tanh(x) = 2 / (1 + exp(-2 x)) - 1.
 */
typedef struct {
    const uint16_t *table; /* [256], Q0.16 */
    int32_t count;
    int32_t multiplier, right; /* brings the input to steps of 1 / (3 * 4096), rounded, halves up */
} sigmoid_16x8_t;

/* 1 / (1 + exp(-x)) in Q0.16 with `bits` more bits. x: in steps of 2^-bits / 24 */
DSP_INLINE int32_t sigmoid_16x8_between(const uint16_t *table, uint32_t x, int32_t bits, int32_t end)
{
    const uint32_t place = x >> bits;
    if (place >= 255) {
        return end;
    }
    const int32_t first = table[place], second = table[place + 1];
    return (first << bits) + (int32_t)(x & ((1U << bits) - 1)) * (second - first);
}

DSP_INLINE int32_t sigmoid_16x8_scaled(const sigmoid_16x8_t *layer, int32_t value)
{
    return (value * layer->multiplier + (int32_t)(1U << layer->right >> 1)) >> layer->right;
}

/* Both: int16, aligned to 2, and may work in place. */
KERNEL void sigmoid_16x8_logistic(const sigmoid_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = layer->count; i > 0; i--) {
        const int32_t x = sigmoid_16x8_scaled(layer, *from++);
        const uint32_t size = (uint32_t)(x < 0 ? -x : x);
        int32_t value = sigmoid_16x8_between(layer->table, size, 9, 0x7FFF << 10);
        value = x >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1;
        *to++ = (int16_t)(value >> 10);
    }
}

KERNEL void sigmoid_16x8_tanh(const sigmoid_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = layer->count; i > 0; i--) {
        const int32_t x = sigmoid_16x8_scaled(layer, *from++);
        const uint32_t size = (uint32_t)(x < 0 ? -x : x);
        int32_t value = sigmoid_16x8_between(layer->table, size, 8, 0xFFFF << 8) - (1 << 23);
        value = x >= 0 ? value + (1 << 7) : -value + (1 << 7) - 1;
        *to++ = (int16_t)(value >> 8);
    }
}

#endif
