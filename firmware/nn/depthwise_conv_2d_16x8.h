/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_CONV_2D_16X8_H
#define NN_DEPTHWISE_CONV_2D_16X8_H

#include "dsp/memory.h"
#include "nn/depthwise_16x8_run.h"
#include "nn/requantize_16x8.h"
#include <stdint.h>

/*
 * Depthwise convolution with 16-bit activations and 8-bit weights: every channel with its own taps, of which
 * those inside the input are visited. Layout: rows, columns, channels, of the weights too.
 */
typedef struct {
    int32_t rows, columns, depth;  /* of the input */
    int32_t out_rows, out_columns; /* of the output */
    int32_t multiplier;            /* output channels an input channel */
    int32_t kernel_rows, kernel_columns;
    int32_t row_stride, column_stride, row_dilation, column_dilation;
    int32_t top, left; /* padding */
    const int8_t *weights;
    const requantize_t *channels;  /* not for depthwise_conv_2d_16x8_wide */
    const requantize_16x8_t *wide; /* for that one */
    int32_t low, high;             /* clamp */
} depthwise_conv_2d_16x8_t;

/* Taps `start` .. `end` - 1 along one axis lie in the input. */
typedef struct {
    int32_t start, end;
} depthwise_16x8_span_t;

DSP_INLINE depthwise_16x8_span_t depthwise_16x8_span(int32_t first, int32_t taps, int32_t dilation,
                                                     int32_t size)
{
    depthwise_16x8_span_t span = {0, taps};
    while (span.start < taps && first + span.start * dilation < 0) {
        span.start++;
    }
    while (span.end > span.start && first + (span.end - 1) * dilation >= size) {
        span.end--;
    }
    return span;
}

/* Where the taps of one window that lie in the input begin. */
typedef struct {
    const int16_t *input;
    const int8_t *weights;
    int32_t rows, columns;
    int32_t row_step, column_step;                 /* of the input, in values */
    int32_t row_step_weights, column_step_weights; /* of the weights */
} depthwise_16x8_window_t;

DSP_INLINE int16_t depthwise_16x8_output(const depthwise_conv_2d_16x8_t *layer, int32_t sum, int32_t channel)
{
    return (int16_t)requantize_clamp(requantize_narrow(sum, &layer->channels[channel]), layer->low,
                                     layer->high);
}

/* One channel; its sum may have 64 bits. */
DSP_INLINE int64_t depthwise_16x8_one(const depthwise_16x8_window_t *window, int32_t from, int32_t channel,
                                      int64_t sum)
{
    const int16_t *x = window->input + from;
    const int8_t *w = window->weights + channel;
    for (int32_t i = window->rows; i > 0; i--, x += window->row_step, w += window->row_step_weights) {
        for (int32_t j = 0; j < window->columns; j++) {
            sum += (int32_t)x[j * window->column_step] * w[j * window->column_step_weights];
        }
    }
    return sum;
}

/* Four channels next to each other, whose sums fit 32 bits. */
DSP_INLINE void depthwise_16x8_four(const depthwise_conv_2d_16x8_t *layer,
                                    const depthwise_16x8_window_t *window, int32_t channel, int16_t *output)
{
    const requantize_t *scaling = &layer->channels[channel];
    const int32_t low = layer->low, high = layer->high;
    const int32_t step = window->column_step, step_weights = window->column_step_weights;
    const int32_t back = window->row_step - window->columns * step;
    const int32_t back_weights = window->row_step_weights - window->columns * step_weights;
    const int16_t *x = window->input + channel;
    const int8_t *w = window->weights + channel;
    int32_t a = scaling[0].bias, b = scaling[1].bias, c = scaling[2].bias, d = scaling[3].bias;
    for (int32_t i = window->rows; i > 0; i--, x += back, w += back_weights) {
        for (int32_t j = window->columns; j > 0; j--, x += step, w += step_weights) {
            const uint32_t first = dsp_load_pair(x), second = dsp_load_pair(x + 2);
            const uint32_t weights = dsp_load_bytes(w), even = dsp_even(weights), odd = dsp_odd(weights);
            a = dsp_low_low(first, even, a);
            b = dsp_low_high(odd, first, b);
            c = dsp_low_high(second, even, c);
            d = dsp_high_high(second, odd, d);
        }
    }
    output[0] = (int16_t)requantize_clamp(requantize_narrow(a, &scaling[0]), low, high);
    output[1] = (int16_t)requantize_clamp(requantize_narrow(b, &scaling[1]), low, high);
    output[2] = (int16_t)requantize_clamp(requantize_narrow(c, &scaling[2]), low, high);
    output[3] = (int16_t)requantize_clamp(requantize_narrow(d, &scaling[3]), low, high);
}

/* Channels in fours, the last of which may share channels with the one before; else one by one. */
DSP_INLINE void depthwise_16x8_channels(const depthwise_conv_2d_16x8_t *layer,
                                        const depthwise_16x8_window_t *window, int16_t *output, int wide)
{
    const int32_t count = layer->depth * layer->multiplier;
    if (!wide && layer->multiplier == 1 && count >= 4) {
        for (int32_t channel = 0; channel < count; channel += 4) {
            channel = channel > count - 4 ? count - 4 : channel;
            depthwise_16x8_four(layer, window, channel, output + channel);
        }
        return;
    }
    for (int32_t from = 0, channel = 0; from < layer->depth; from++) {
        for (int32_t i = 0; i < layer->multiplier; i++, channel++) {
            if (wide) {
                const int64_t sum = depthwise_16x8_one(window, from, channel, layer->wide[channel].bias);
                const int32_t value = requantize_reduced(sum, &layer->wide[channel]);
                output[channel] = (int16_t)requantize_clamp(value, layer->low, layer->high);
            } else {
                const int64_t sum = depthwise_16x8_one(window, from, channel, layer->channels[channel].bias);
                output[channel] = depthwise_16x8_output(layer, (int32_t)sum, channel);
            }
        }
    }
}

/* Positions along one axis whose windows lie in the input: from `first` to before `end`. */
typedef struct {
    int32_t first, end;
} depthwise_16x8_inner_t;

DSP_INLINE depthwise_16x8_inner_t depthwise_16x8_inner(int32_t before, int32_t stride, int32_t reach,
                                                       int32_t size, int32_t count)
{
    depthwise_16x8_inner_t inner = {(before + stride - 1) / stride, 0};
    const int32_t room = size - reach + before; /* from the first window's start to that of the last */
    inner.end = room < 0 ? 0 : room / stride + 1;
    inner.end = inner.end < count ? inner.end : count;
    inner.first = inner.first < inner.end ? inner.first : inner.end;
    return inner;
}

/* The taps of four channels, widened. Returns the place after. */
DSP_INLINE const depthwise_16x8_tap_t *depthwise_16x8_widen(const depthwise_conv_2d_16x8_t *layer,
                                                            int32_t channel, depthwise_16x8_tap_t *to)
{
    const int32_t column_step = 2 * layer->column_dilation * layer->depth;
    const int32_t row_step = 2 * layer->row_dilation * layer->columns * layer->depth;
    const int8_t *weights = layer->weights + channel;
    for (int32_t i = 0; i < layer->kernel_rows; i++) {
        for (int32_t j = 0; j < layer->kernel_columns; j++, to++, weights += layer->depth) {
            const uint32_t bytes = dsp_load_bytes(weights);
            *to = (depthwise_16x8_tap_t){i * row_step + j * column_step, dsp_even(bytes), dsp_odd(bytes)};
        }
    }
    return to;
}

/* All channels at the positions inside, four channels at a time. */
DSP_INLINE void depthwise_16x8_inside(const depthwise_conv_2d_16x8_t *layer, depthwise_16x8_inner_t rows,
                                      depthwise_16x8_inner_t columns, const int16_t *input, int16_t *output,
                                      depthwise_16x8_tap_t *taps)
{
    const int32_t depth = layer->depth;
    for (int32_t channel = 0; channel < depth && columns.first < columns.end; channel += 4) {
        channel = channel > depth - 4 ? depth - 4 : channel;
        const depthwise_16x8_tap_t *end = depthwise_16x8_widen(layer, channel, taps);
        for (int32_t i = rows.first; i < rows.end; i++) {
            const int32_t row = i * layer->row_stride - layer->top;
            const int32_t column = columns.first * layer->column_stride - layer->left;
            depthwise_16x8_run_t run = {
                .input = input + (row * layer->columns + column) * depth + channel,
                .taps = taps,
                .end = end,
                .scaling = &layer->channels[channel],
                .output = output + (i * layer->out_columns + columns.first) * depth + channel,
                .least = layer->low == 0 ? 0 : -1,
                .step = 2 * layer->column_stride * depth,
                .output_step = 2 * depth,
                .count = columns.end - columns.first,
            };
            depthwise_16x8_run(&run);
        }
    }
}

/* Outputs are clamped by their type, or at 0. */
DSP_INLINE int depthwise_16x8_is_plain(const depthwise_conv_2d_16x8_t *layer)
{
    return layer->multiplier == 1 && layer->depth >= 4 && layer->high == INT16_MAX &&
           (layer->low == 0 || layer->low == INT16_MIN);
}

DSP_INLINE void depthwise_16x8_all(const depthwise_conv_2d_16x8_t *layer, const int16_t *input,
                                   int16_t *output, depthwise_16x8_tap_t *taps, int wide)
{
    const int32_t count = layer->depth * layer->multiplier, line = layer->columns * layer->depth;
    const int32_t kernel_rows = (layer->kernel_rows - 1) * layer->row_dilation + 1;
    const int32_t kernel_columns = (layer->kernel_columns - 1) * layer->column_dilation + 1;
    depthwise_16x8_inner_t inner_rows = {0, 0}, inner = {0, 0};
    depthwise_16x8_window_t window = {
        .row_step = layer->row_dilation * line,
        .column_step = layer->column_dilation * layer->depth,
        .row_step_weights = layer->kernel_columns * count,
        .column_step_weights = count,
    };
    if (!wide && depthwise_16x8_is_plain(layer)) {
        inner_rows =
            depthwise_16x8_inner(layer->top, layer->row_stride, kernel_rows, layer->rows, layer->out_rows);
        inner = depthwise_16x8_inner(layer->left, layer->column_stride, kernel_columns, layer->columns,
                                     layer->out_columns);
        depthwise_16x8_inside(layer, inner_rows, inner, input, output, taps);
    }
    for (int32_t i = 0; i < layer->out_rows; i++) {
        const int32_t row = i * layer->row_stride - layer->top;
        const depthwise_16x8_span_t rows =
            depthwise_16x8_span(row, layer->kernel_rows, layer->row_dilation, layer->rows);
        for (int32_t j = 0; j < layer->out_columns; j++, output += count) {
            if (i >= inner_rows.first && i < inner_rows.end && j == inner.first && j < inner.end) {
                output += (inner.end - j) * count; /* these are done */
                j = inner.end;
                if (j == layer->out_columns) {
                    break;
                }
            }
            const int32_t column = j * layer->column_stride - layer->left;
            const depthwise_16x8_span_t columns =
                depthwise_16x8_span(column, layer->kernel_columns, layer->column_dilation, layer->columns);
            window.rows = rows.end - rows.start;
            window.columns = columns.end - columns.start;
            window.input = input + (row + rows.start * layer->row_dilation) * line +
                           (column + columns.start * layer->column_dilation) * layer->depth;
            window.weights = layer->weights + (rows.start * layer->kernel_columns + columns.start) * count;
            depthwise_16x8_channels(layer, &window, output, wide);
        }
    }
}

/*
 * input, output: int16, aligned to 2. The sums of the first fit 32 bits, those of the second 64.
 * scratch, aligned to 4: 12 bytes a tap of the kernel
 */
KERNEL void depthwise_conv_2d_16x8(const depthwise_conv_2d_16x8_t *layer, const void *input, void *output,
                                   void *scratch)
{
    depthwise_16x8_all(layer, input, output, scratch, 0);
}

KERNEL void depthwise_conv_2d_16x8_wide(const depthwise_conv_2d_16x8_t *layer, const void *input,
                                        void *output, void *scratch)
{
    depthwise_16x8_all(layer, input, output, scratch, 1);
}

#endif
