/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_POOL_2D_H
#define NN_POOL_2D_H

#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/* A value a channel from the part of each window that lies in the input. Layout: rows, columns, channels. */
typedef struct {
    int32_t rows, columns, depth;        /* of the input */
    int32_t out_rows, out_columns;       /* of the output */
    int32_t kernel_rows, kernel_columns; /* window */
    int32_t row_stride, column_stride;
    int32_t top, left; /* padding */
    int32_t low, high; /* clamp */
} pool_2d_t;

/* Start and end of a window along one axis, cut to 0 .. size. */
typedef struct {
    int32_t start, end;
} pool_2d_span_t;

DSP_INLINE pool_2d_span_t pool_2d_span(int32_t start, int32_t kernel, int32_t size)
{
    int32_t end = start + kernel;
    return (pool_2d_span_t){start < 0 ? 0 : start, end > size ? size : end};
}

#define POOL_2D_FOURS 255 /* values whose sum fits 16 bits */

/* The part of a window that lies in the input. from: the first channel of its first value */
typedef struct {
    const int8_t *from;
    int32_t rows, columns;
    int32_t row_step; /* bytes from the end of one row of it to the next */
    int32_t depth;
} pool_2d_window_t;

/* Sums of four channels over a window, at most POOL_2D_FOURS values each. */
DSP_INLINE void pool_2d_sum_four(const pool_2d_window_t *window, const int8_t *next, int32_t sums[4])
{
    uint32_t even = 0, odd = 0;
    for (int32_t row = window->rows; row > 0; row--) {
        for (int32_t column = window->columns; column > 0; column--) {
            uint32_t bytes = dsp_load_bytes(next);
            even = dsp_add_even(even, bytes);
            odd = dsp_add_odd(odd, bytes);
            next += window->depth;
        }
        next += window->row_step;
    }
    sums[0] = (int16_t)(uint16_t)even;
    sums[1] = (int16_t)(uint16_t)odd;
    sums[2] = (int16_t)(uint16_t)(even >> 16);
    sums[3] = (int16_t)(uint16_t)(odd >> 16);
}

/* The largest of four channels each over a window. */
DSP_INLINE uint32_t pool_2d_largest_four(const pool_2d_window_t *window, const int8_t *next)
{
    uint32_t largest = dsp_load_bytes(next);
    for (int32_t row = window->rows; row > 0; row--) {
        int32_t left = window->columns;
        for (; left >= 2; left -= 2, next += 2 * window->depth) {
            largest = dsp_larger_bytes(largest, dsp_load_bytes(next));
            largest = dsp_larger_bytes(largest, dsp_load_bytes(next + window->depth));
        }
        if (left > 0) {
            largest = dsp_larger_bytes(largest, dsp_load_bytes(next));
            next += window->depth;
        }
        next += window->row_step;
    }
    return largest;
}

DSP_INLINE int8_t pool_2d_mean(const pool_2d_t *layer, int32_t sum, int32_t count)
{
    int32_t mean = (sum + (sum > 0 ? count / 2 : -(count / 2))) / count; /* halves away from zero */
    return (int8_t)requantize_clamp(mean, layer->low, layer->high);
}

/* One channel over a window. */
DSP_INLINE int8_t pool_2d_one(const pool_2d_t *layer, const pool_2d_window_t *window, const int8_t *next,
                              int average)
{
    int32_t value = average ? 0 : -128;
    for (int32_t row = 0; row < window->rows; row++) {
        for (int32_t column = 0; column < window->columns; column++) {
            value = average ? value + *next : *next > value ? *next : value;
            next += window->depth;
        }
        next += window->row_step;
    }
    return average ? pool_2d_mean(layer, value, window->rows * window->columns)
                   : (int8_t)requantize_clamp(value, layer->low, layer->high);
}

/* All channels over a window: in fours, the last of which may share channels with the one before. */
DSP_INLINE void pool_2d_channels(const pool_2d_t *layer, const pool_2d_window_t *window, int8_t *output,
                                 int average)
{
    const int32_t count = window->rows * window->columns, depth = layer->depth;
    if (depth < 4 || (average && count > POOL_2D_FOURS)) {
        for (int32_t channel = 0; channel < depth; channel++) {
            output[channel] = pool_2d_one(layer, window, window->from + channel, average);
        }
        return;
    }
    const uint32_t low = dsp_four_times(layer->low), high = dsp_four_times(layer->high);
    for (int32_t channel = 0; channel < depth; channel += 4) {
        channel = channel > depth - 4 ? depth - 4 : channel;
        if (average) {
            int32_t sums[4];
            pool_2d_sum_four(window, window->from + channel, sums);
            for (int32_t k = 0; k < 4; k++) {
                output[channel + k] = pool_2d_mean(layer, sums[k], count);
            }
        } else {
            uint32_t largest = pool_2d_largest_four(window, window->from + channel);
            largest = dsp_smaller_bytes(dsp_larger_bytes(largest, low), high);
            memcpy(output + channel, &largest, sizeof largest);
        }
    }
}

DSP_INLINE void pool_2d_windows(const pool_2d_t *layer, const int8_t *input, int8_t *output, int average)
{
    for (int32_t i = 0; i < layer->out_rows; i++) {
        pool_2d_span_t rows =
            pool_2d_span(i * layer->row_stride - layer->top, layer->kernel_rows, layer->rows);
        for (int32_t j = 0; j < layer->out_columns; j++) {
            pool_2d_span_t columns =
                pool_2d_span(j * layer->column_stride - layer->left, layer->kernel_columns, layer->columns);
            pool_2d_window_t window = {
                .from = input + (rows.start * layer->columns + columns.start) * layer->depth,
                .rows = rows.end - rows.start,
                .columns = columns.end - columns.start,
                .row_step = (layer->columns - columns.end + columns.start) * layer->depth,
                .depth = layer->depth,
            };
            pool_2d_channels(layer, &window, output, average);
            output += layer->depth;
        }
    }
}

KERNEL void pool_2d_average(const pool_2d_t *layer, const int8_t *input, int8_t *output)
{
    pool_2d_windows(layer, input, output, 1);
}

KERNEL void pool_2d_largest(const pool_2d_t *layer, const int8_t *input, int8_t *output)
{
    pool_2d_windows(layer, input, output, 0);
}

#endif
