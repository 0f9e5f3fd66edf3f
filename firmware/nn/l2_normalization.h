/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_L2_NORMALIZATION_H
#define NN_L2_NORMALIZATION_H

#include "nn/requantize.h"
#include <stdint.h>

/* Each of `rows` vectors of `depth` values is divided by its length; the output's scale is 1/128. */
typedef struct {
    int32_t rows, depth;
    int32_t zero_point; /* of the input */
} l2_normalization_t;

typedef struct {
    int32_t multiplier, right; /* multiplier * 2^(-31 - right) */
} l2_normalization_inverse_t;

/* 1/sqrt(square) by five steps of Newton's iteration in Q3.28, rounded as the reference does. square: below
 * 2^29 */
DSP_INLINE l2_normalization_inverse_t l2_normalization_inverse(int32_t square)
{
    l2_normalization_inverse_t result = {INT32_MAX, 0};
    if (square <= 1) {
        return result;
    }
    int32_t shift = 11;
    for (; square < 1 << 27; square <<= 2) {
        shift--;
    }
    const int32_t half = ((square >> 1) + 1) >> 1;
    int32_t x = 1 << 28; /* 1 */
    for (int step = 0; step < 5; step++) {
        int32_t cube = requantize_high(requantize_high(x, x), x) * (1 << 6);
        x = (requantize_high(3 << 27, x) - requantize_high(half, cube)) * (1 << 3);
    }
    const int32_t root_of_half = 1518500250; /* sqrt(1/2) in Q0.31 */
    result.multiplier = requantize_high(x, root_of_half);
    if (shift < 0) {
        result.multiplier *= 1 << -shift;
        shift = 0;
    }
    result.right = shift;
    return result;
}

/* May work in place. */
KERNEL void l2_normalization(const l2_normalization_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t depth = layer->depth, zero_point = layer->zero_point;
    for (int32_t row = 0; row < layer->rows; row++, input += depth) {
        int32_t square = 0;
        for (int32_t i = 0; i < depth; i++) {
            int32_t value = input[i] - zero_point;
            square += value * value;
        }
        const l2_normalization_inverse_t by = l2_normalization_inverse(square);
        const int32_t left = by.right < 7 ? 7 - by.right : 0, right = by.right < 7 ? 0 : by.right - 7;
        for (int32_t i = 0; i < depth; i++) {
            int32_t value = requantize_multiply(input[i] - zero_point, by.multiplier, left, right);
            *output++ = (int8_t)requantize_clamp(value, -128, 127);
        }
    }
}

#endif
