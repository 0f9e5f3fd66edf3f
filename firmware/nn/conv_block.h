/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CONV_BLOCK_H
#define NN_CONV_BLOCK_H

#include "dsp/dsp.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/*
 * What all convolutions end in: every channel's products with three positions at a time. The positions' taps
 * are widened to int16 and stand in a block, two taps a word, the three positions in turn:
 *
 *     taps 0, 1 of position 0    of position 1    of position 2    taps 2, 3 of position 0    ...
 *
 * so that one load brings all three. Taps are the tensor's int8; the zero point is folded into the biases,
 * and padding is the zero point.
 *
 * Two output channels share a word of weights: a 16-bit lane holds a + 256 * b, their weights at one tap.
 * With A = sum a * x,   C = sum (a + 256 * b) * x,   B = sum b * x = (C - A) >> 8 one sign extension serves
 * four weights. Sums wrap modulo 2^32, so B is exact while it fits 24 bits: the generator proves that bound
 * for every channel (codegen/kernels/packing/lanes.py), or chooses the general form.
 *
 * The words of a pair of channels, in the order of use:
 *     start of A, start of C                 the biases, in that form
 *     (taps 0, 1), (taps 2, 3), ...          2 * steps words
 *     multiplier, add, shift                 of the first channel
 *     multiplier, add, shift                 of the second
 * and how a sum becomes an output, as TFLite's reference kernels round it (docs/exactness.md):
 *     high  = round(sum * m / 2^31), halves up; of the first channel m = 2^31 + multiplier / 2
 *     value = saturate((high + add) >> shift); add = 2^(shift - 1) + zero point * 2^shift
 * where values below the zero point are kept, add is one less for a negative sum: halves away from zero.
 */
typedef struct {
    int32_t steps;                 /* taps of a position / 4 */
    int32_t depth;                 /* channels: bytes from one position of the output to the next */
    const uint32_t *weights;       /* of all pairs of channels */
    const uint32_t *end;           /* after those of whole pairs: an odd last channel's lie there */
    int32_t keeps_negative;        /* values below the zero point are kept: round halves away from zero */
    const int8_t *taps;            /* general form: [depth][4 * steps] */
    const requantize_t *channels;  /* general form */
    int32_t zero_point, low, high; /* general form: of the output */
} conv_block_t;

/* What a block of three positions needs besides: words, and bytes for the outputs of a last, incomplete one.
 */
#define CONV_BLOCK_POSITIONS 3

DSP_INLINE int8_t conv_block_output(const conv_block_t *layer, int32_t sum, const uint32_t *requantize,
                                    int64_t unit)
{
    int64_t high = (sum * (unit + (int32_t)requantize[0]) + ((int64_t)1 << 31)) >> 32;
    if (layer->keeps_negative && sum < 0) {
        high--;
    }
    return dsp_saturate((int32_t)((high + (int32_t)requantize[1]) >> requantize[2]));
}

/* One pair of channels, or the first of it, at three positions. */
DSP_INLINE void conv_block_pair(const conv_block_t *layer, const uint32_t *words, const uint32_t *block,
                                int8_t *output, int32_t channels)
{
    const uint32_t *requantize = words + 2 + 2 * layer->steps;
    for (int32_t position = 0; position < CONV_BLOCK_POSITIONS; position++) {
        int32_t a = (int32_t)words[0], c = (int32_t)words[1];
        for (int32_t i = 0; i < 2 * layer->steps; i++) {
            uint32_t taps = block[CONV_BLOCK_POSITIONS * i + position];
            a = dsp_dot(dsp_even(words[2 + i]), taps, a);
            c = dsp_dot(words[2 + i], taps, c);
        }
        output[0] = conv_block_output(layer, a, requantize, (int64_t)1 << 32);
        if (channels > 1) {
            int32_t b = (int32_t)((uint32_t)c - (uint32_t)a) >> 8;
            output[1] = conv_block_output(layer, 2 * b, requantize + 3, 0);
        }
        output += layer->depth;
    }
}

#if DSP
#include "nn/conv_block_dsp.h"
#else

/* All pairs of channels at three positions. */
DSP_INLINE void conv_block_pairs(const conv_block_t *layer, const uint32_t *block, int8_t *output)
{
    for (const uint32_t *words = layer->weights; words != layer->end; words += 8 + 2 * layer->steps) {
        conv_block_pair(layer, words, block, output, 2);
        output += 2;
    }
}

#endif

/* All channels at three positions, any multiplier, weight and clamp. */
DSP_INLINE void conv_block_general(const conv_block_t *layer, const uint32_t *block, int8_t *output)
{
    const int8_t *taps = layer->taps;
    for (int32_t channel = 0; channel < layer->depth; channel++, output++) {
        const requantize_t *scaling = &layer->channels[channel];
        int32_t sum0 = scaling->bias, sum1 = scaling->bias, sum2 = scaling->bias;
        const uint32_t *next = block;
        for (int32_t step = 0; step < 2 * layer->steps; step++, taps += 2, next += CONV_BLOCK_POSITIONS) {
            uint32_t weights = ((uint32_t)taps[0] & 0xFFFFu) | ((uint32_t)taps[1] << 16);
            sum0 = dsp_dot(weights, next[0], sum0);
            sum1 = dsp_dot(weights, next[1], sum1);
            sum2 = dsp_dot(weights, next[2], sum2);
        }
        output[0] = requantize_int8(sum0, scaling, layer->zero_point, layer->low, layer->high);
        output[layer->depth] = requantize_int8(sum1, scaling, layer->zero_point, layer->low, layer->high);
        output[2 * layer->depth] = requantize_int8(sum2, scaling, layer->zero_point, layer->low, layer->high);
    }
}

DSP_INLINE void conv_block_three(const conv_block_t *layer, const uint32_t *block, int8_t *output,
                                 int general)
{
    if (general) {
        conv_block_general(layer, block, output);
        return;
    }
    conv_block_pairs(layer, block, output);
    if (layer->depth % 2 != 0) {
        conv_block_pair(layer, layer->end, block, output + layer->depth - 1, 1);
    }
}

/* All channels at the first `count` of three positions. spare: 3 * depth bytes, used where count is 1 or 2 */
DSP_INLINE void conv_block(const conv_block_t *layer, const uint32_t *block, int8_t *output, int32_t count,
                           int8_t *spare, int general)
{
    conv_block_three(layer, block, count == CONV_BLOCK_POSITIONS ? output : spare, general);
    if (count < CONV_BLOCK_POSITIONS) {
        memcpy(output, spare, (size_t)(count * layer->depth));
    }
}

#endif
