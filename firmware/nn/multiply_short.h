/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_MULTIPLY_SHORT_H
#define NN_MULTIPLY_SHORT_H

#include "nn/broadcast.h"
#include <stdint.h>

/* Product of two int8 tensors, requantised in few instructions under the conditions of requantize_fast. */
typedef struct {
    broadcast_t axes; /* both operands run along in the innermost loop: steps of 1 */
    int32_t zero_a, zero_b;
    int32_t multiplier, offset, right; /* as in requantize_t, whose left is 1 */
} multiply_short_t;

/* May work in place of an operand of the output's shape. */
KERNEL void multiply_short(const multiply_short_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t zero_a = layer->zero_a, twice_zero_b = 2 * layer->zero_b;
    const int32_t multiplier = layer->multiplier, offset = layer->offset, right = layer->right;
    const int32_t count = layer->axes.size[BROADCAST_RANK - 1];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (const int8_t *end = x + count; x != end;) {
            int32_t doubled = (*x++ - zero_a) * (2 * *y++ - twice_zero_b);
            int32_t high = dsp_multiply_high(doubled, multiplier, offset + (doubled >> 31));
            *output++ = dsp_saturate(high >> right);
        }
    } while (broadcast_next(&layer->axes, &row));
}

#endif
