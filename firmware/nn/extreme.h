/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_EXTREME_H
#define NN_EXTREME_H

#include "nn/broadcast.h"
#include <stdint.h>

/* The larger or the smaller of two int8 tensors, element by element. */
typedef struct {
    broadcast_t axes;
} extreme_t;

DSP_INLINE void extreme_rows(const extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *output,
                             int largest)
{
    const int32_t last = BROADCAST_RANK - 1, count = layer->axes.size[last];
    const int32_t step_a = layer->axes.step_a[last], step_b = layer->axes.step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            *output++ = (*x > *y) == largest ? *x : *y;
        }
    } while (broadcast_next(&layer->axes, &row));
}

/* Both may work in place of an operand of the output's shape. */
KERNEL void extreme_largest(const extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    extreme_rows(layer, a, b, output, 1);
}

KERNEL void extreme_smallest(const extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    extreme_rows(layer, a, b, output, 0);
}

#endif
