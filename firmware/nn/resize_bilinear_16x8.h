/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESIZE_BILINEAR_16X8_H
#define NN_RESIZE_BILINEAR_16X8_H

#include "dsp/dsp.h"
#include <stdint.h>

/* int16 between those of the input: see nn/resize_bilinear.h. */
typedef struct {
    const int16_t *row_places, *column_places; /* [rows or columns][3] */
    int32_t rows, columns, depth;              /* of the output */
    int32_t row_step;                          /* values from one row of the input to the next */
} resize_bilinear_16x8_t;

#define RESIZE_16X8_ONE (1 << 10)

/* From a product of two weights, 2^20 in all, to the nearest; halves go away from zero. */
DSP_INLINE int16_t resize_bilinear_16x8_rounded(int64_t sum)
{
    const int64_t half = 1 << 19;
    return (int16_t)(sum >= 0 ? (sum + half) >> 20 : -((half - sum) >> 20));
}

/* int16, aligned to 2. */
KERNEL void resize_bilinear_16x8(const resize_bilinear_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input, *row = layer->row_places;
    int16_t *to = output;
    for (int32_t i = 0; i < layer->rows; i++, row += 3) {
        const int16_t *upper = from + row[0] * layer->row_step, *lower = from + row[1] * layer->row_step;
        const int16_t *column = layer->column_places;
        for (int32_t j = 0; j < layer->columns; j++, column += 3) {
            const int32_t left = column[0] * layer->depth, right = column[1] * layer->depth;
            const int32_t near = RESIZE_16X8_ONE - column[2], far = column[2];
            for (int32_t channel = 0; channel < layer->depth; channel++) {
                const int32_t above = upper[left + channel] * near + upper[right + channel] * far;
                const int32_t below = lower[left + channel] * near + lower[right + channel] * far;
                const int64_t sum = (int64_t)above * (RESIZE_16X8_ONE - row[2]) + (int64_t)below * row[2];
                *to++ = resize_bilinear_16x8_rounded(sum);
            }
        }
    }
}

#endif
