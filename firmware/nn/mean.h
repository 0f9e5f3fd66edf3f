/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MEAN_H
#define NN_MEAN_H

#include "nn/requantize.h"
#include <stdint.h>

/* The mean of `count` values that lie `depth` apart, for each of `depth` channels in each of `rows` blocks.
 */
typedef struct {
    int32_t rows, count, depth;
    int32_t multiplier, left, right; /* of the sum */
    int32_t zero_sum;                /* count times the input's zero point */
    int32_t zero_point;              /* of the output */
} mean_t;

KERNEL void mean(const mean_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; row++) {
        for (int32_t channel = 0; channel < layer->depth; channel++) {
            const int8_t *next = input + channel;
            int32_t sum = -layer->zero_sum;
            for (int32_t i = 0; i < layer->count; i++) {
                sum += *next;
                next += layer->depth;
            }
            int32_t value = requantize_multiply(sum, layer->multiplier, layer->left, layer->right);
            *output++ = (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
        }
        input += layer->count * layer->depth;
    }
}

#endif
