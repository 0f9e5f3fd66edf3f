/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_CONV_2D_H
#define NN_DEPTHWISE_CONV_2D_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * A convolution of each channel with its own taps. Taps outside the input are left out; the input's zero
 * point is taken off where it is read. Layout: rows, columns, channels.
 */
typedef struct {
    const int8_t *weights;                 /* [kernel_rows][kernel_columns][depth of the output] */
    const requantize_t *channels;          /* one an output channel */
    int32_t rows, columns, depth;          /* of the input */
    int32_t out_rows, out_columns;         /* of the output, whose depth is multiplier * depth */
    int32_t multiplier;                    /* output channels an input channel */
    int32_t kernel_rows, kernel_columns;   /* taps */
    int32_t row_stride, column_stride;     /* from one output row, column to the next */
    int32_t row_dilation, column_dilation; /* from one tap to the next */
    int32_t top, left;                     /* padding */
    int32_t minus_zero;                    /* the input's zero point, negative */
    int32_t zero_point, low, high;         /* of the output */
} depthwise_conv_2d_t;

/* Taps first .. end - 1 of a window that starts at `start` lie inside 0 .. size. */
typedef struct {
    int32_t first, end;
} depthwise_conv_2d_span_t;

DSP_INLINE depthwise_conv_2d_span_t depthwise_conv_2d_span(int32_t start, int32_t taps, int32_t dilation,
                                                           int32_t size)
{
    int32_t first = start < 0 ? (-start + dilation - 1) / dilation : 0;
    int32_t last = start < size ? (size - 1 - start) / dilation : -1;
    return (depthwise_conv_2d_span_t){first, last < taps ? last + 1 : taps};
}

/* The part of the window at one position of the output: rows and columns of taps, the longer loop inside. */
typedef struct {
    const int8_t *input, *weights;        /* first tap */
    int32_t outer, inner;                 /* taps */
    int32_t outer_step, inner_step;       /* bytes of the input */
    int32_t outer_weights, inner_weights; /* bytes of the weights, from one tap to the next */
} depthwise_conv_2d_window_t;

DSP_INLINE depthwise_conv_2d_window_t depthwise_conv_2d_window(const depthwise_conv_2d_t *layer,
                                                               const int8_t *input, int32_t row,
                                                               int32_t column)
{
    row = row * layer->row_stride - layer->top;
    column = column * layer->column_stride - layer->left;
    depthwise_conv_2d_span_t rows =
        depthwise_conv_2d_span(row, layer->kernel_rows, layer->row_dilation, layer->rows);
    depthwise_conv_2d_span_t columns =
        depthwise_conv_2d_span(column, layer->kernel_columns, layer->column_dilation, layer->columns);
    if (rows.end <= rows.first || columns.end <= columns.first) {
        return (depthwise_conv_2d_window_t){.input = input, .weights = layer->weights};
    }
    row += rows.first * layer->row_dilation;
    column += columns.first * layer->column_dilation;
    const int32_t tap = rows.first * layer->kernel_columns + columns.first;
    const int32_t out_depth = layer->depth * layer->multiplier;
    depthwise_conv_2d_window_t window = {
        .input = input + (row * layer->columns + column) * layer->depth,
        .weights = layer->weights + tap * out_depth,
        .outer = rows.end - rows.first,
        .inner = columns.end - columns.first,
        .outer_step = layer->row_dilation * layer->columns * layer->depth,
        .inner_step = layer->column_dilation * layer->depth,
        .outer_weights = layer->kernel_columns * out_depth,
        .inner_weights = out_depth,
    };
    if (window.inner == 1) { /* of one column: its rows are the inner loop */
        window.inner = window.outer;
        window.inner_step = window.outer_step;
        window.inner_weights = window.outer_weights;
        window.outer = 1;
    }
    return window;
}

DSP_INLINE int8_t depthwise_conv_2d_output(const depthwise_conv_2d_t *layer, int32_t sum, int32_t channel,
                                           int general)
{
    const requantize_t *scaling = &layer->channels[channel];
    return general ? requantize_int8(sum, scaling, layer->zero_point, layer->low, layer->high)
                   : requantize_fast(sum, scaling);
}

/* One channel of one position, `from` its place in the input. */
DSP_INLINE int32_t depthwise_conv_2d_sum(const depthwise_conv_2d_t *layer,
                                         const depthwise_conv_2d_window_t *window, int32_t from,
                                         int32_t channel)
{
    int32_t sum = layer->channels[channel].bias;
    for (int32_t i = 0; i < window->outer; i++) {
        const int8_t *input = window->input + i * window->outer_step + from;
        const int8_t *weights = window->weights + i * window->outer_weights + channel;
        for (int32_t j = 0; j < window->inner; j++) {
            sum = (int32_t)((uint32_t)sum + (uint32_t)(*weights * (*input + layer->minus_zero)));
            input += window->inner_step;
            weights += window->inner_weights;
        }
    }
    return sum;
}

/* Four channels of one position, multiplier 1. */
DSP_INLINE void depthwise_conv_2d_four(const depthwise_conv_2d_t *layer,
                                       const depthwise_conv_2d_window_t *window, int32_t channel,
                                       int8_t *output, int general)
{
    const requantize_t *channels = &layer->channels[channel];
    const uint32_t minus_zero = dsp_twice(layer->minus_zero);
    int32_t sum0 = channels[0].bias, sum1 = channels[1].bias, sum2 = channels[2].bias,
            sum3 = channels[3].bias;
    for (int32_t i = 0; i < window->outer; i++) {
        const int8_t *input = window->input + i * window->outer_step + channel;
        const int8_t *weights = window->weights + i * window->outer_weights + channel;
        for (int32_t j = 0; j < window->inner; j++) {
            uint32_t bytes = dsp_load_bytes(input), taps = dsp_load_bytes(weights);
            uint32_t even = dsp_add_even(minus_zero, bytes), odd = dsp_add_odd(minus_zero, bytes);
            uint32_t even_taps = dsp_even(taps), odd_taps = dsp_odd(taps);
            sum0 = dsp_low_low(even, even_taps, sum0);
            sum1 = dsp_low_low(odd, odd_taps, sum1);
            sum2 = dsp_high_high(even, even_taps, sum2);
            sum3 = dsp_high_high(odd, odd_taps, sum3);
            input += window->inner_step;
            weights += window->inner_weights;
        }
    }
    output[0] = depthwise_conv_2d_output(layer, sum0, channel, general);
    output[1] = depthwise_conv_2d_output(layer, sum1, channel + 1, general);
    output[2] = depthwise_conv_2d_output(layer, sum2, channel + 2, general);
    output[3] = depthwise_conv_2d_output(layer, sum3, channel + 3, general);
}

DSP_INLINE void depthwise_conv_2d_positions(const depthwise_conv_2d_t *layer, const int8_t *input,
                                            int8_t *output, int general)
{
    const int32_t out_depth = layer->depth * layer->multiplier;
    const int32_t fours = layer->multiplier == 1 ? layer->depth & ~3 : 0; /* channels in blocks of four */
    for (int32_t i = 0; i < layer->out_rows; i++) {
        for (int32_t j = 0; j < layer->out_columns; j++) {
            depthwise_conv_2d_window_t window = depthwise_conv_2d_window(layer, input, i, j);
            for (int32_t channel = 0; channel < fours; channel += 4) {
                depthwise_conv_2d_four(layer, &window, channel, output + channel, general);
            }
            int32_t from = fours, repeat = 0; /* input channel, and how often it was used */
            for (int32_t channel = fours; channel < out_depth; channel++) {
                int32_t sum = depthwise_conv_2d_sum(layer, &window, from, channel);
                output[channel] = depthwise_conv_2d_output(layer, sum, channel, general);
                if (++repeat == layer->multiplier) {
                    repeat = 0;
                    from++;
                }
            }
            output += out_depth;
        }
    }
}

/* Where requantize_fast serves every channel. */
KERNEL void depthwise_conv_2d(const depthwise_conv_2d_t *layer, const int8_t *input, int8_t *output)
{
    depthwise_conv_2d_positions(layer, input, output, 0);
}

/* Any multiplier and clamp. */
KERNEL void depthwise_conv_2d_general(const depthwise_conv_2d_t *layer, const int8_t *input, int8_t *output)
{
    depthwise_conv_2d_positions(layer, input, output, 1);
}

#endif
