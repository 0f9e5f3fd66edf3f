/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESIZE_H
#define NN_RESIZE_H

#include "dsp/dsp.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rows and columns of the input, some repeated or left out. */
typedef struct {
    const int16_t *row_of, *column_of; /* the input's place of each of the output */
    int32_t rows, columns;             /* of the output */
    int32_t depth;                     /* bytes of all channels */
    int32_t row_step;                  /* bytes from one row of the input to the next */
} resize_t;

KERNEL void resize(const resize_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t i = 0; i < layer->rows; i++) {
        const int8_t *row = input + layer->row_of[i] * layer->row_step;
        for (int32_t j = 0; j < layer->columns; j++) {
            memcpy(output, row + layer->column_of[j] * layer->depth, (size_t)layer->depth);
            output += layer->depth;
        }
    }
}

#endif
