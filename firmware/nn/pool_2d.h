/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_POOL_2D_H
#define NN_POOL_2D_H

#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>

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

/* Sums of four channels over a window, at most POOL_2D_FOURS values each. */
DSP_INLINE void pool_2d_sum_four(const pool_2d_t *layer, const int8_t *input, pool_2d_span_t rows,
                                 pool_2d_span_t columns, int32_t sums[4])
{
    uint32_t even = 0, odd = 0;
    for (int32_t row = rows.start; row < rows.end; row++) {
        const int8_t *next = input + (row * layer->columns + columns.start) * layer->depth;
        for (int32_t column = columns.start; column < columns.end; column++) {
            uint32_t bytes = dsp_load_bytes(next);
            even = dsp_add_even(even, bytes);
            odd = dsp_add_odd(odd, bytes);
            next += layer->depth;
        }
    }
    sums[0] = (int16_t)(uint16_t)even;
    sums[1] = (int16_t)(uint16_t)odd;
    sums[2] = (int16_t)(uint16_t)(even >> 16);
    sums[3] = (int16_t)(uint16_t)(odd >> 16);
}

DSP_INLINE int8_t pool_2d_mean(const pool_2d_t *layer, int32_t sum, int32_t count)
{
    int32_t mean = (sum + (sum > 0 ? count / 2 : -(count / 2))) / count; /* halves away from zero */
    return (int8_t)requantize_clamp(mean, layer->low, layer->high);
}

DSP_INLINE void pool_2d_windows(const pool_2d_t *layer, const int8_t *input, int8_t *output, int average)
{
    for (int32_t i = 0; i < layer->out_rows; i++) {
        pool_2d_span_t rows =
            pool_2d_span(i * layer->row_stride - layer->top, layer->kernel_rows, layer->rows);
        for (int32_t j = 0; j < layer->out_columns; j++) {
            pool_2d_span_t columns =
                pool_2d_span(j * layer->column_stride - layer->left, layer->kernel_columns, layer->columns);
            int32_t count = (rows.end - rows.start) * (columns.end - columns.start);
            int32_t fours = average && count <= POOL_2D_FOURS ? layer->depth & ~3 : 0;
            for (int32_t channel = 0; channel < fours; channel += 4) {
                int32_t sums[4];
                pool_2d_sum_four(layer, input + channel, rows, columns, sums);
                for (int32_t k = 0; k < 4; k++) {
                    *output++ = pool_2d_mean(layer, sums[k], count);
                }
            }
            for (int32_t channel = fours; channel < layer->depth; channel++) {
                int32_t value = average ? 0 : -128;
                for (int32_t row = rows.start; row < rows.end; row++) {
                    const int8_t *next =
                        input + (row * layer->columns + columns.start) * layer->depth + channel;
                    for (int32_t column = columns.start; column < columns.end; column++) {
                        value = average ? value + *next : *next > value ? *next : value;
                        next += layer->depth;
                    }
                }
                *output++ = average ? pool_2d_mean(layer, value, count)
                                    : (int8_t)requantize_clamp(value, layer->low, layer->high);
            }
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
