/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ADD_TABLES_H
#define NN_ADD_TABLES_H

#include "nn/requantize.h"
#include <stdint.h>

/*
 * Sum or difference of two int8 tensors of one shape: what nn/add.h makes of each operand before it adds them
 * is in two tables, doubled; the sum is rounded as in requantize_fast.
 */
typedef struct {
    const int32_t *a, *b; /* [256], over -128 .. 127 */
    int32_t count;
    int32_t multiplier, offset, right; /* as in requantize_t */
} add_tables_t;

/* May work in place of either operand. */
KERNEL void add_tables(const add_tables_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t *zero_a = layer->a + 128, *zero_b = layer->b + 128;
    const int32_t multiplier = layer->multiplier, offset = layer->offset, right = layer->right;
    for (const int8_t *end = a + layer->count; a != end;) {
        int32_t doubled = zero_a[*a++] + zero_b[*b++];
        int32_t high = dsp_multiply_high(doubled, multiplier, offset + (doubled >> 31));
        *output++ = dsp_saturate(high >> right);
    }
}

#endif
