/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ADD_ONCE_H
#define NN_ADD_ONCE_H

#include "nn/broadcast.h"
#include <stdint.h>

/*
 * Sum or difference of two int8 tensors, rounded once, with factors of which the generator has seen that
 * every pair of operands gives what the three roundings of nn/add.h give, and that no sum overflows.
 */
typedef struct {
    broadcast_t axes; /* both operands run along in the innermost loop: steps of 1 */
    int32_t factor_a, factor_b;
    int32_t offset; /* the zero points, and a half to round */
    int32_t right;  /* bits of the factors behind the point */
} add_once_t;

/* May work in place of an operand of the output's shape. */
KERNEL void add_once(const add_once_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t factor_a = layer->factor_a, factor_b = layer->factor_b;
    const int32_t offset = layer->offset, right = layer->right;
    const int32_t count = layer->axes.size[BROADCAST_RANK - 1];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (const int8_t *end = x + count; x != end;) {
            int32_t sum = offset + *x++ * factor_a + *y++ * factor_b;
            *output++ = dsp_saturate(sum >> right);
        }
    } while (broadcast_next(&layer->axes, &row));
}

#endif
