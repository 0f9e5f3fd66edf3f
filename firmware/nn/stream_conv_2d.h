/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_CONV_2D_H
#define NN_STREAM_CONV_2D_H

#include "dsp/dsp.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Convolution of one time step, for incremental inference: `columns` positions of one row, each the product
 * of all channels' weights with one run of consecutive int16.
 *
 * Input and output are streams (nn/stream.h): a position holds the newest and the older rows of its column
 * side by side, so that a kernel of any height and width reads one run. Values are the tensor's int8,
 * widened; its zero point is folded into the biases.
 *
 * Two output channels share a word of weights: a 16-bit lane holds a + 256 * b, their weights at one tap.
 * With A = sum a * x,   C = sum (a + 256 * b) * x,   B = sum b * x = (C - A) >> 8 one sign extension serves
 * four weights instead of two. Sums wrap modulo 2^32, so B is exact while it fits 24 bits: the generator
 * proves that bound for every channel from its weights (codegen/kernels/packing/lanes.py).
 *
 * The words of a pair of channels, in the order of use:
 *     start of A, start of C              the biases, in that form
 *     (taps 0, 1), (taps 2, 3), ...       2 * steps words
 *     multiplier, add, shift              of the first channel
 *     multiplier, add, shift              of the second
 * A sum becomes an output as TFLite's reference kernels round it (docs/exactness.md), in fewer instructions:
 *     high  = round(sum * m / 2^31), halves up; m = 2^31 + multiplier / 2
 *     value = saturate((high + add) >> shift), where add = 2^(shift - 1) + zero_point * 2^shift
 * and, where values below the zero point are kept, high - 1 for a negative high: halves away from zero.
 */
typedef struct {
    int32_t steps;           /* taps of a position / 4 */
    int32_t output_stride;   /* bytes from one output position to the next */
    const uint32_t *weights; /* of all pairs of channels */
    const uint32_t *end;     /* after them */
    const int8_t
        *table; /* NULL, or what follows: a function of value + 128, where add has 128 * 2^shift more */
    int32_t table_step;     /* bytes from one channel's table to the next: 256, or 0 where all share one */
    int32_t stride;         /* bytes from one input position to the next, a multiple of 4 */
    int32_t columns;        /* positions */
    int32_t keeps_negative; /* values below the zero point are kept: round halves away from zero */
} stream_conv_2d_t;

#if DSP
#include "nn/stream_conv_2d_dsp.h"
#else

DSP_INLINE int16_t stream_conv_2d_finish(const stream_conv_2d_t *layer, int32_t sum,
                                         const uint32_t *requantize, int32_t channel)
{
    const int64_t doubled = (int64_t)(int32_t)requantize[0] + ((int64_t)1 << 32);
    int64_t high = (sum * doubled + ((int64_t)1 << 31)) >> 32;
    if (layer->keeps_negative && high < 0)
        high--;
    const int64_t value = (high + (int32_t)requantize[1]) >> requantize[2];
    if (layer->table == NULL)
        return (int16_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    return layer->table[channel * layer->table_step + (value < 0 ? 0 : value > 255 ? 255 : value)];
}

KERNEL void stream_conv_2d(const stream_conv_2d_t *layer, const int16_t *input, int16_t *output)
{
    for (int32_t column = 0; column < layer->columns; column++) {
        int32_t channel = 0;
        for (const uint32_t *word = layer->weights; word != layer->end; channel += 2) {
            uint32_t a = *word++, c = *word++;
            for (int32_t i = 0; i < 4 * layer->steps; i += 2) {
                for (int32_t lane = 0; lane < 2; lane++) {
                    const int32_t both = (int16_t)(uint16_t)(*word >> 16 * lane);
                    a += (uint32_t)((int8_t)(uint8_t)both * input[i + lane]);
                    c += (uint32_t)(both * input[i + lane]);
                }
                word++;
            }
            output[channel] = stream_conv_2d_finish(layer, (int32_t)a, word, channel);
            output[channel + 1] = stream_conv_2d_finish(layer, (int32_t)(c - a) >> 8, word + 3, channel + 1);
            word += 6;
        }
        input += layer->stride / 2;
        output += layer->output_stride / 2;
    }
}

#endif

#endif
