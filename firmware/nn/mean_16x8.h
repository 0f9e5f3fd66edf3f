/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MEAN_16X8_H
#define NN_MEAN_16X8_H

#include "nn/requantize.h"
#include <stdint.h>

/* The mean of `count` int16 that lie `depth` apart, for each of `depth` channels in each of `rows` blocks. */
typedef struct {
    int32_t rows, count, depth;
    int32_t multiplier, left, right; /* of the sum, which fits 32 bits */
} mean_16x8_t;

/* int16, aligned to 2. */
KERNEL void mean_16x8(const mean_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t row = 0; row < layer->rows; row++, from += layer->count * layer->depth) {
        for (int32_t channel = 0; channel < layer->depth; channel++) {
            const int16_t *next = from + channel;
            int32_t sum = 0;
            for (int32_t i = layer->count; i > 0; i--, next += layer->depth) {
                sum += *next;
            }
            sum = requantize_multiply(sum, layer->multiplier, layer->left, layer->right);
            *to++ = (int16_t)requantize_clamp(sum, INT16_MIN, INT16_MAX);
        }
    }
}

#endif
