/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESIZE_BILINEAR_H
#define NN_RESIZE_BILINEAR_H

#include "nn/requantize.h"
#include <stdint.h>

/* Rows and columns between those of the input: of each of the output the input's two, and the second's
 * weight in 1/1024. */
typedef struct {
    const int16_t *row_places, *column_places; /* [rows or columns][3] */
    int32_t rows, columns, depth;              /* of the output */
    int32_t row_step;                          /* bytes from one row of the input to the next */
} resize_bilinear_t;

#define RESIZE_ONE (1 << 10)

KERNEL void resize_bilinear(const resize_bilinear_t *layer, const int8_t *input, int8_t *output)
{
    const int16_t *row = layer->row_places;
    for (int32_t i = 0; i < layer->rows; i++, row += 3) {
        const int8_t *upper = input + row[0] * layer->row_step, *lower = input + row[1] * layer->row_step;
        const int16_t *column = layer->column_places;
        for (int32_t j = 0; j < layer->columns; j++, column += 3) {
            const int32_t left = column[0] * layer->depth, right = column[1] * layer->depth;
            for (int32_t channel = 0; channel < layer->depth; channel++) {
                int32_t above =
                    upper[left + channel] * (RESIZE_ONE - column[2]) + upper[right + channel] * column[2];
                int32_t below =
                    lower[left + channel] * (RESIZE_ONE - column[2]) + lower[right + channel] * column[2];
                *output++ = (int8_t)requantize_shift(above * (RESIZE_ONE - row[2]) + below * row[2], 20);
            }
        }
    }
}

#endif
