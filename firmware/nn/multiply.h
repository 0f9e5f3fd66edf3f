/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MULTIPLY_H
#define NN_MULTIPLY_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/* Product of two int8 tensors. */
typedef struct {
    broadcast_t axes;
    int32_t multiplier, left, right;
    int32_t zero_a, zero_b;        /* of the operands */
    int32_t zero_point, low, high; /* of the output */
} multiply_t;

/* May work in place of an operand of the output's shape. */
KERNEL void multiply(const multiply_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t last = BROADCAST_RANK - 1;
    const int32_t count = layer->axes.size[last], step_a = layer->axes.step_a[last],
                  step_b = layer->axes.step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            int32_t product = (*x - layer->zero_a) * (*y - layer->zero_b);
            int32_t value = requantize_multiply(product, layer->multiplier, layer->left, layer->right);
            *output++ = (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
        }
    } while (broadcast_next(&layer->axes, &row));
}

#endif
