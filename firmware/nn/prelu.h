/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_PRELU_H
#define NN_PRELU_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* The first operand, times the second where it is below zero. */
typedef struct {
    broadcast_t axes;
    int32_t zero_a, zero_b; /* of the operands */
    int32_t multiplier_above, left_above, right_above;
    int32_t multiplier_below, left_below, right_below;
    int32_t zero_point; /* of the output */
} prelu_t;

/* May work in place of an operand of the output's shape. */
KERNEL void prelu(const prelu_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t last = BROADCAST_RANK - 1, count = layer->axes.size[last];
    const int32_t step_a = layer->axes.step_a[last], step_b = layer->axes.step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            int32_t value = *x - layer->zero_a;
            if (value >= 0) {
                value = requantize_multiply(value, layer->multiplier_above, layer->left_above,
                                            layer->right_above);
            } else {
                value = requantize_multiply(value * (*y - layer->zero_b), layer->multiplier_below,
                                            layer->left_below, layer->right_below);
            }
            *output++ = (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
        }
    } while (broadcast_next(&layer->axes, &row));
}

#endif
