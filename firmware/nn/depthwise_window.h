/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_WINDOW_H
#define NN_DEPTHWISE_WINDOW_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>

/*
 * A convolution of each channel with its own taps, whose windows are points at equal distances, all of them
 * in the input: k x 1 over time as a stream makes it, 1 x k. At least four channels.
 *
 * Four channels at a time, two points together: their bytes a0 a1 a2 a3 and b0 b1 b2 b3 become a0 a1 b0 b1
 * and a2 a3 b2 b3, and the weights lie so, too. A sign extension then leaves the two values of a channel side
 * by side, and one instruction multiplies both.
 *
 * The words of four channels, in the order of use:
 *     their biases, with the input's zero point folded in
 *     weights: of two points at a time those of channels 0 1 0 1 and of channels 2 3 2 3; of a last, odd
 *     point those of channels 0 1 2 3
 *     multiplier, add, shift of each
 * A sum becomes an output as in nn/stream_conv_2d.h; halves are always rounded away from zero: where values
 * below the zero point are not kept, nothing is seen of theirs. Where the channels are no multiple of four,
 * the last four share some with those before.
 */
typedef struct {
    const uint32_t *words;
    int32_t depth;
    int32_t tap_step;              /* bytes from one point of a window to the next */
    int32_t pairs;                 /* bytes from the first to the end of the pairs of points */
    int32_t odd;                   /* 1: one point more */
    int32_t rows, columns;         /* windows */
    int32_t row_step, column_step; /* bytes from a window of a row, column to that of the next */
} depthwise_window_t;

#if DSP
#include "nn/depthwise_window_dsp.h"
#else

DSP_INLINE void depthwise_window_finish(int8_t *output, int32_t sum, const uint32_t *requantize)
{
    const int64_t doubled = (int64_t)(int32_t)requantize[0] + ((int64_t)1 << 32);
    const int64_t high = (sum * doubled + ((int64_t)1 << 31)) >> 32;
    const int64_t value = (high + (sum >> 31) + (int32_t)requantize[1]) >> requantize[2];
    *output = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* All channels of a window. */
DSP_INLINE void depthwise_window_channels(const depthwise_window_t *layer, const int8_t *input,
                                          int8_t *output)
{
    const uint32_t *words = layer->words;
    for (int32_t channel = 0; channel < layer->depth; channel += 4) {
        channel = channel > layer->depth - 4 ? layer->depth - 4 : channel;
        const int8_t *from = input + channel, *end = from + layer->pairs;
        int32_t sums[4] = {(int32_t)words[0], (int32_t)words[1], (int32_t)words[2], (int32_t)words[3]};
        words += 4;
        for (; from != end; from += 2 * layer->tap_step, words += 2) {
            for (int32_t k = 0; k < 4; k++) {
                const uint32_t weights = words[k / 2] >> 8 * (k % 2);
                sums[k] += (int8_t)weights * from[k] + (int8_t)(weights >> 16) * from[layer->tap_step + k];
            }
        }
        if (layer->odd) {
            for (int32_t k = 0; k < 4; k++) {
                sums[k] += (int8_t)(*words >> 8 * k) * from[k];
            }
            words++;
        }
        for (int32_t k = 0; k < 4; k++, words += 3) {
            depthwise_window_finish(output + channel + k, sums[k], words);
        }
    }
}

#endif

KERNEL void depthwise_window(const depthwise_window_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; row++, input += layer->row_step) {
        const int8_t *from = input;
        for (int32_t column = 0; column < layer->columns; column++, from += layer->column_step) {
            depthwise_window_channels(layer, from, output);
            output += layer->depth;
        }
    }
}

#endif
