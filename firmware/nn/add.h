/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ADD_H
#define NN_ADD_H

#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * Sum or difference of two int8 tensors: both are brought to a common scale with 20 more bits, added, and
 * brought to the output's.
 */
typedef struct {
    broadcast_t axes;
    int32_t multiplier_a, right_a;
    int32_t multiplier_b, right_b;
    int32_t multiplier_output, right_output;
    int32_t zero_a, zero_b;        /* of the operands */
    int32_t zero_point, low, high; /* of the output */
} add_t;

DSP_INLINE void add_rows(const add_t *layer, const int8_t *a, const int8_t *b, int8_t *output, int32_t sign)
{
    const int32_t last = BROADCAST_RANK - 1, count = layer->axes.size[last];
    const int32_t step_a = layer->axes.step_a[last], step_b = layer->axes.step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            int32_t wide_a = (*x - layer->zero_a) * (1 << 20), wide_b = (*y - layer->zero_b) * (1 << 20);
            int32_t sum = requantize_multiply(wide_a, layer->multiplier_a, 0, layer->right_a) +
                          sign * requantize_multiply(wide_b, layer->multiplier_b, 0, layer->right_b);
            int32_t value = requantize_multiply(sum, layer->multiplier_output, 0, layer->right_output);
            *output++ = (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
        }
    } while (broadcast_next(&layer->axes, &row));
}

/* Both may work in place of an operand of the output's shape. */
KERNEL void add(const add_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    add_rows(layer, a, b, output, 1);
}

KERNEL void add_difference(const add_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    add_rows(layer, a, b, output, -1);
}

#endif
