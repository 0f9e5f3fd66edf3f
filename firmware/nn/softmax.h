/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SOFTMAX_H
#define NN_SOFTMAX_H

#include "nn/reciprocal.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/*
 * softmax of each row, int8 to int8 with scale 1/256 and zero point -128. exp(-d * scale * beta) of every
 * difference d to the row's largest value is in a table, as TFLite's fixed-point exponential makes it.
 */
typedef struct {
    const int32_t *exponential; /* [reach], Q31; beyond it the exponential is not counted */
    int32_t reach;              /* 1..256 */
    int32_t rows, depth;
} softmax_t;

/* 1 / sum as a Q31 factor of 2^(*over). sum: Q12.19, at least 1.0 */
DSP_INLINE int32_t softmax_reciprocal(int32_t sum, int32_t *over)
{
    int32_t zeros = __builtin_clz((uint32_t)sum);
    *over = 12 - zeros;
    return reciprocal_of_one_plus((int32_t)(((uint32_t)sum << zeros) - (1u << 31))); /* sum / 2^over - 1 */
}

/* The exponential of a value, where it is counted. */
DSP_INLINE int32_t softmax_exponential(const softmax_t *layer, int32_t below)
{
    return below < layer->reach ? layer->exponential[below] : 0;
}

DSP_INLINE void softmax_rows(const softmax_t *layer, const int8_t *input, int8_t *output, int wide)
{
    for (int32_t row = 0; row < layer->rows; row++) {
        int32_t largest = -128;
        for (int32_t i = 0; i < layer->depth; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < layer->depth; i++) {
            sum += requantize_shift(softmax_exponential(layer, largest - input[i]), 12);
        }
        int32_t over, scale = softmax_reciprocal(sum, &over);
        for (int32_t i = 0; i < layer->depth; i++) {
            int32_t part = requantize_high(scale, softmax_exponential(layer, largest - input[i]));
            if (wide) {
                int32_t value = requantize_shift(part, over + 15) + INT16_MIN;
                int16_t clamped = (int16_t)requantize_clamp(value, INT16_MIN, INT16_MAX);
                memcpy(output + 2 * i, &clamped, sizeof clamped);
            } else {
                output[i] = (int8_t)requantize_clamp(requantize_shift(part, over + 23) - 128, -128, 127);
            }
        }
        input += layer->depth;
        output += wide ? 2 * layer->depth : layer->depth;
    }
}

/* May work in place. */
KERNEL void softmax(const softmax_t *layer, const int8_t *input, int8_t *output)
{
    softmax_rows(layer, input, output, 0);
}

/* To int16 with scale 1/65536 and zero point -32768, at any address. */
KERNEL void softmax_int16(const softmax_t *layer, const int8_t *input, void *output)
{
    softmax_rows(layer, input, output, 1);
}

#endif
