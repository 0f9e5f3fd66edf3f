/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_POOL_2D_16X8_H
#define NN_POOL_2D_16X8_H

#include "nn/requantize.h"
#include <stdint.h>

/* A value a channel from the part of each window that lies in the input, all int16. Layout: rows, columns,
 * channels. */
typedef struct {
    int32_t rows, columns, depth;        /* of the input */
    int32_t out_rows, out_columns;       /* of the output */
    int32_t kernel_rows, kernel_columns; /* window */
    int32_t row_stride, column_stride;
    int32_t top, left; /* padding */
    int32_t low, high; /* clamp */
} pool_2d_16x8_t;

DSP_INLINE int16_t pool_2d_16x8_mean(const pool_2d_16x8_t *layer, int32_t sum, int32_t count)
{
    int32_t mean = (sum + (sum > 0 ? count / 2 : -(count / 2))) / count; /* halves away from zero */
    return (int16_t)requantize_clamp(mean, layer->low, layer->high);
}

DSP_INLINE void pool_2d_16x8_all(const pool_2d_16x8_t *layer, const int16_t *input, int16_t *output,
                                 int average)
{
    const int32_t depth = layer->depth, line = layer->columns * depth;
    for (int32_t i = 0; i < layer->out_rows; i++) {
        const int32_t row = i * layer->row_stride - layer->top;
        const int32_t row_start = row < 0 ? 0 : row;
        const int32_t row_end = requantize_clamp(row + layer->kernel_rows, 0, layer->rows);
        for (int32_t j = 0; j < layer->out_columns; j++) {
            const int32_t column = j * layer->column_stride - layer->left;
            const int32_t column_start = column < 0 ? 0 : column;
            const int32_t columns =
                requantize_clamp(column + layer->kernel_columns, 0, layer->columns) - column_start;
            const int16_t *from = input + row_start * line + column_start * depth;
            for (int32_t channel = 0; channel < depth; channel++, from++) {
                int32_t value = average ? 0 : INT16_MIN;
                const int16_t *next = from;
                for (int32_t r = row_end - row_start; r > 0; r--, next += line - columns * depth) {
                    for (int32_t c = columns; c > 0; c--, next += depth) {
                        value = average ? value + *next : *next > value ? *next : value;
                    }
                }
                *output++ = average ? pool_2d_16x8_mean(layer, value, (row_end - row_start) * columns)
                                    : (int16_t)requantize_clamp(value, layer->low, layer->high);
            }
        }
    }
}

/* int16, aligned to 2. */
KERNEL void pool_2d_16x8_average(const pool_2d_16x8_t *layer, const void *input, void *output)
{
    pool_2d_16x8_all(layer, input, output, 1);
}

KERNEL void pool_2d_16x8_largest(const pool_2d_16x8_t *layer, const void *input, void *output)
{
    pool_2d_16x8_all(layer, input, output, 0);
}

#endif
