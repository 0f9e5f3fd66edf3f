/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MEAN_H
#define NN_MEAN_H

#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>

/* The mean of `count` values that lie `depth` apart, for each of `depth` channels in each of `rows` blocks.
 */
typedef struct {
    int32_t rows, count, depth;
    int32_t multiplier, left, right; /* of the sum */
    int32_t zero_sum;                /* count times the input's zero point */
    int32_t zero_point;              /* of the output */
} mean_t;

#define MEAN_FOURS 255 /* values whose sum fits 16 bits */

/* Sums of four channels side by side. */
DSP_INLINE void mean_sum_four(const mean_t *layer, const int8_t *next, int32_t sums[4])
{
    for (int32_t left = layer->count; left > 0;) {
        uint32_t even = 0, odd = 0;
        int32_t count = left < MEAN_FOURS ? left : MEAN_FOURS;
        left -= count;
        for (; count > 0; count--, next += layer->depth) {
            uint32_t bytes = dsp_load_bytes(next);
            even = dsp_add_even(even, bytes);
            odd = dsp_add_odd(odd, bytes);
        }
        sums[0] += dsp_low(even);
        sums[1] += dsp_low(odd);
        sums[2] += dsp_high(even);
        sums[3] += dsp_high(odd);
    }
}

DSP_INLINE int8_t mean_output(const mean_t *layer, int32_t sum)
{
    int32_t value = requantize_multiply(sum, layer->multiplier, layer->left, layer->right);
    return (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
}

/* Channels in fours, the last of which may share channels with the one before; fewer than four one by one. */
KERNEL void mean(const mean_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t depth = layer->depth, zero = -layer->zero_sum;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->count * depth, output += depth) {
        for (int32_t channel = 0; depth >= 4 && channel < depth; channel += 4) {
            channel = channel > depth - 4 ? depth - 4 : channel;
            int32_t sums[4] = {zero, zero, zero, zero};
            mean_sum_four(layer, input + channel, sums);
            for (int32_t k = 0; k < 4; k++) {
                output[channel + k] = mean_output(layer, sums[k]);
            }
        }
        for (int32_t channel = 0; depth < 4 && channel < depth; channel++) {
            const int8_t *next = input + channel;
            int32_t sum = zero;
            for (int32_t i = 0; i < layer->count; i++, next += depth) {
                sum += *next;
            }
            output[channel] = mean_output(layer, sum);
        }
    }
}

#endif
