#ifndef NN_CONV_2D_H
#define NN_CONV_2D_H

#include "nn/dot.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * Convolution whose windows lie wholly inside the input (VALID padding). The zero point of the input is
 * folded into the biases, so the sums are of plain products. Layout: rows, columns, channels.
 */
typedef struct {
    const int8_t *weights;        /* pairs of output channels, see nn/dot.h */
    const requantize_t *channels; /* one an output channel, an even number */
    dot_window_t window;
    int32_t rows, columns, depth;  /* of the output */
    int32_t row_step, column_step; /* bytes of the input from one output row, column to the next */
    int32_t zero_point, low, high; /* of the output, for conv_2d_general */
} conv_2d_t;

/* Two channels' sums of `count` windows into the output, `depth` bytes from one window to the next. */
SIMD_INLINE void conv_2d_store(const conv_2d_t *layer, int32_t channel, int32_t count, const int32_t *sums,
                               int8_t *output, int general)
{
    const requantize_t *first = &layer->channels[channel];
    for (int32_t second = 0; second < 2 && channel + second < layer->depth; second++) {
        for (int32_t i = 0; i < count; i++) {
            int32_t sum = sums[2 * i + second];
            output[i * layer->depth + second] =
                general ? requantize_int8(sum, first + second, layer->zero_point, layer->low, layer->high)
                        : requantize_fast(sum, first + second);
        }
    }
}

/* All channels of `columns` windows that lie `column_step` bytes apart. */
SIMD_INLINE void conv_2d_windows(const conv_2d_t *layer, int32_t columns, const int8_t *input, int8_t *output,
                                 int general)
{
    const int8_t *weights = layer->weights;
    for (int32_t channel = 0; channel < layer->depth; channel += 2) {
        int32_t bias0 = layer->channels[channel].bias, bias1 = layer->channels[channel + 1].bias;
        const int8_t *from = input;
        int8_t *to = output + channel;
        int32_t left = columns;
        for (; left >= 2; left -= 2) {
            int32_t sums[4] = {bias0, bias1, bias0, bias1};
            dot_2x2(weights, from, &layer->window, layer->column_step, sums);
            conv_2d_store(layer, channel, 2, sums, to, general);
            from += 2 * layer->column_step;
            to += 2 * layer->depth;
        }
        for (; left > 0; left--) {
            int32_t sums[2] = {bias0, bias1};
            dot_2x1(weights, from, &layer->window, sums);
            conv_2d_store(layer, channel, 1, sums, to, general);
            from += layer->column_step;
            to += layer->depth;
        }
        weights += 2 * layer->window.runs * layer->window.length;
    }
}

SIMD_INLINE void conv_2d_rows(const conv_2d_t *layer, const int8_t *input, int8_t *output, int general)
{
    for (int32_t row = 0; row < layer->rows; row++) {
        conv_2d_windows(layer, layer->columns, input, output, general);
        input += layer->row_step;
        output += layer->columns * layer->depth;
    }
}

/* Where requantize_fast serves every channel. */
KERNEL void conv_2d(const conv_2d_t *layer, const int8_t *input, int8_t *output)
{
    conv_2d_rows(layer, input, output, 0);
}

/* Any multiplier and clamp. */
KERNEL void conv_2d_general(const conv_2d_t *layer, const int8_t *input, int8_t *output)
{
    conv_2d_rows(layer, input, output, 1);
}

#endif
