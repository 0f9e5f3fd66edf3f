/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SQUARED_DIFFERENCE_H
#define NN_SQUARED_DIFFERENCE_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* (a - b)^2 of two int8 tensors: both are brought to a common scale with 7 more bits. */
typedef struct {
    broadcast_t axes;
    int32_t zero_a, zero_b; /* of the operands */
    int32_t multiplier_a, right_a;
    int32_t multiplier_b, right_b;
    int32_t multiplier, left, right; /* of the square */
    int32_t zero_point;              /* of the output */
} squared_difference_t;

/* May work in place of an operand of the output's shape. */
KERNEL void squared_difference(const squared_difference_t *layer, const int8_t *a, const int8_t *b,
                               int8_t *output)
{
    const int32_t last = BROADCAST_RANK - 1, count = layer->axes.size[last];
    const int32_t step_a = layer->axes.step_a[last], step_b = layer->axes.step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            int32_t wide_a = (*x - layer->zero_a) * (1 << 7), wide_b = (*y - layer->zero_b) * (1 << 7);
            int32_t difference = requantize_multiply(wide_a, layer->multiplier_a, 0, layer->right_a) -
                                 requantize_multiply(wide_b, layer->multiplier_b, 0, layer->right_b);
            int32_t value =
                requantize_multiply(difference * difference, layer->multiplier, layer->left, layer->right);
            *output++ = (int8_t)requantize_clamp(value + layer->zero_point, -128, 127);
        }
    } while (broadcast_next(&layer->axes, &row));
}

#endif
