/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BATCH_MATMUL_H
#define NN_BATCH_MATMUL_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

#define BATCH_MATMUL_ROWS 4 /* computed together: each pair of values of b serves so many */

/*
 * Products of matrices that are both computed, one for each of the batches: output[row, column] is the sum of
 * a[row, i] * b[i, column]. Values are widened to int16 with their zero point taken off, four rows of a at a
 * time and a column of b, so that two products are one instruction.
 */
typedef struct {
    broadcast_t batches;          /* of 1 along the last axis; steps in values */
    int32_t rows, columns, depth; /* of the output; summed up */
    int32_t row_a, step_a;        /* values from a row to the next, and along the sum */
    int32_t column_b, step_b;
    int32_t zero_a, zero_b;
    int32_t multiplier, left, right;
    int32_t zero_point; /* of the output */
} batch_matmul_t;

/* `count` values in steps, less their zero point; 0 after an odd number. */
DSP_INLINE void batch_matmul_widen(int16_t *to, const int8_t *from, int32_t step, int32_t count, int32_t zero)
{
    for (int32_t i = 0; i < count; i++, from += step) {
        to[i] = (int16_t)(*from - zero);
    }
    if (count % 2 != 0) {
        to[count] = 0;
    }
}

DSP_INLINE int8_t batch_matmul_scaled(const batch_matmul_t *layer, int32_t sum)
{
    int32_t value = requantize_multiply(sum, layer->multiplier, layer->left, layer->right);
    return (int8_t)requantize_clamp((int32_t)((uint32_t)value + (uint32_t)layer->zero_point), -128, 127);
}

/* Up to four rows of one product. wide: four rows of a and a column of b, each of `pairs` words */
DSP_INLINE void batch_matmul_rows(const batch_matmul_t *layer, const int8_t *a, const int8_t *b,
                                  int8_t *output, int32_t rows, uint32_t *wide)
{
    const int32_t pairs = (layer->depth + 1) / 2;
    uint32_t *column = wide + BATCH_MATMUL_ROWS * pairs;
    for (int32_t row = 0; row < rows; row++) {
        batch_matmul_widen((int16_t *)(wide + row * pairs), a + row * layer->row_a, layer->step_a,
                           layer->depth, layer->zero_a);
    }
    for (int32_t j = 0; j < layer->columns; j++) {
        batch_matmul_widen((int16_t *)column, b + j * layer->column_b, layer->step_b, layer->depth,
                           layer->zero_b);
        int32_t sums[BATCH_MATMUL_ROWS] = {0};
        const uint32_t *x = wide;
        for (int32_t i = 0; i < pairs; i++, x++) {
            const uint32_t y = column[i];
            sums[0] = dsp_dot(x[0], y, sums[0]);
            sums[1] = dsp_dot(x[pairs], y, sums[1]);
            sums[2] = dsp_dot(x[2 * pairs], y, sums[2]);
            sums[3] = dsp_dot(x[3 * pairs], y, sums[3]);
        }
        for (int32_t row = 0; row < rows; row++) {
            output[row * layer->columns + j] = batch_matmul_scaled(layer, sums[row]);
        }
    }
}

KERNEL void batch_matmul(const batch_matmul_t *layer, const int8_t *a, const int8_t *b, int8_t *output,
                         void *scratch)
{
    broadcast_row_t batch = {0};
    uint32_t *wide = scratch;
    for (int32_t i = 0; i < BATCH_MATMUL_ROWS * ((layer->depth + 1) / 2); i++) {
        wide[i] = 0; /* rows that a last block does not have are computed with the others */
    }
    do {
        for (int32_t row = 0; row < layer->rows; row += BATCH_MATMUL_ROWS) {
            const int32_t left = layer->rows - row;
            const int32_t rows = left < BATCH_MATMUL_ROWS ? left : BATCH_MATMUL_ROWS;
            batch_matmul_rows(layer, a + batch.a + row * layer->row_a, b + batch.b, output, rows, wide);
            output += rows * layer->columns;
        }
    } while (broadcast_next(&layer->batches, &batch));
}

#endif
