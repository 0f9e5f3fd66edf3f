/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SOFTMAX_16X8_H
#define NN_SOFTMAX_16X8_H

#include "nn/requantize.h"
#include <stdint.h>

/*
 * softmax of each row of int16, to int16 with scale 1/32768. TFLite's tables: the exponential over -10 .. 0
 * and 1 / (1 + x) over 0 .. 1, 512 steps each, with straight lines between them.
 */
typedef struct {
    const int16_t *exponential;      /* [513], Q0.15 */
    const int16_t *reciprocal;       /* [513], Q0.15 */
    int32_t multiplier, left, right; /* from a difference to steps of 10 / 65535 */
    int32_t rows, depth;
} softmax_16x8_t;

/* value: -32768 .. 32767, from one end of the table to the other */
DSP_INLINE int32_t softmax_16x8_look_up(const int16_t *table, int32_t value)
{
    const int16_t *step = table + 256 + (value >> 7);
    return step[0] + (((step[1] - step[0]) * (value & 127) + 64) >> 7);
}

/* int16, aligned to 2. May work in place. */
KERNEL void softmax_16x8(const softmax_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t row = 0; row < layer->rows; row++, from += layer->depth, to += layer->depth) {
        int32_t largest = INT16_MIN, sum = 0;
        for (int32_t i = 0; i < layer->depth; i++) {
            largest = from[i] > largest ? from[i] : largest;
        }
        for (int32_t i = 0; i < layer->depth; i++) {
            const int32_t below =
                requantize_multiply(from[i] - largest, layer->multiplier, layer->left, layer->right);
            const int32_t place = requantize_clamp(below + INT16_MAX, INT16_MIN, INT16_MAX);
            to[i] = (int16_t)softmax_16x8_look_up(layer->exponential, place);
            sum += to[i];
        }
        /* sum = (1 + x) * 2^(31 - zeros) in Q16.15 */
        const int32_t zeros = __builtin_clz((uint32_t)sum), right = 31 - zeros;
        const int32_t shifted = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14);
        const int32_t place = requantize_clamp(shifted - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
        const int32_t factor = softmax_16x8_look_up(layer->reciprocal, place);
        for (int32_t i = 0; i < layer->depth; i++) {
            const int32_t share = (to[i] * factor + (1 << (right - 1))) >> right;
            to[i] = (int16_t)requantize_clamp(share, 0, INT16_MAX);
        }
    }
}

#endif
