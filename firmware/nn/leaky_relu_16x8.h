/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LEAKY_RELU_16X8_H
#define NN_LEAKY_RELU_16X8_H

#include "nn/requantize.h"
#include <stdint.h>

/* int16 by one factor from 0 on, by another below it. */
typedef struct {
    int32_t count;
    int32_t multiplier, left, right;                   /* of values from 0 on */
    int32_t multiplier_below, left_below, right_below; /* of the size of the slope, below it */
    int32_t sign_below;                                /* of the slope: 1 or -1 */
} leaky_relu_16x8_t;

/* int16, aligned to 2. May work in place. */
KERNEL void leaky_relu_16x8(const leaky_relu_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = layer->count; i > 0; i--) {
        int32_t value = *from++;
        value = value >= 0 ? requantize_multiply(value, layer->multiplier, layer->left, layer->right)
                           : layer->sign_below * requantize_multiply(value, layer->multiplier_below,
                                                                     layer->left_below, layer->right_below);
        *to++ = (int16_t)requantize_clamp(value, INT16_MIN, INT16_MAX);
    }
}

#endif
