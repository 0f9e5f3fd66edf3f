/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_WHOLE_NUMBERS_H
#define NN_WHOLE_NUMBERS_H

#include "nn/broadcast.h"
#include <stdint.h>
#include <string.h>

/* Numbers of 32 bits, as models compute indices with: no scale is looked at, and results wrap. Addresses need
 * no alignment. */
typedef struct {
    broadcast_t axes;
} whole_numbers_t;

DSP_INLINE int32_t whole_numbers_sum_of(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

DSP_INLINE int32_t whole_numbers_difference_of(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

DSP_INLINE int32_t whole_numbers_product_of(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

DSP_INLINE int32_t whole_numbers_larger_of(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

DSP_INLINE int32_t whole_numbers_smaller_of(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

typedef int32_t whole_numbers_function_t(int32_t a, int32_t b);

DSP_INLINE int32_t whole_numbers_at(const void *values, int32_t i)
{
    int32_t value;
    memcpy(&value, (const int8_t *)values + 4 * i, sizeof value);
    return value;
}

/* Each element of the output in order. */
DSP_INLINE void whole_numbers_each(const broadcast_t *axes, const void *a, const void *b, void *output,
                                   whole_numbers_function_t *function)
{
    const int32_t last = BROADCAST_RANK - 1, count = axes->size[last];
    broadcast_row_t row = {0};
    int8_t *out = (int8_t *)output;
    do {
        for (int32_t i = 0; i < count; i++, out += 4) {
            const int32_t value = function(whole_numbers_at(a, row.a + i * axes->step_a[last]),
                                           whole_numbers_at(b, row.b + i * axes->step_b[last]));
            memcpy(out, &value, sizeof value);
        }
    } while (broadcast_next(axes, &row));
}

/* All may work in place of an operand of the output's shape. */
KERNEL void whole_numbers_sum(const whole_numbers_t *layer, const void *a, const void *b, void *output)
{
    whole_numbers_each(&layer->axes, a, b, output, whole_numbers_sum_of);
}

KERNEL void whole_numbers_difference(const whole_numbers_t *layer, const void *a, const void *b, void *output)
{
    whole_numbers_each(&layer->axes, a, b, output, whole_numbers_difference_of);
}

KERNEL void whole_numbers_product(const whole_numbers_t *layer, const void *a, const void *b, void *output)
{
    whole_numbers_each(&layer->axes, a, b, output, whole_numbers_product_of);
}

KERNEL void whole_numbers_larger(const whole_numbers_t *layer, const void *a, const void *b, void *output)
{
    whole_numbers_each(&layer->axes, a, b, output, whole_numbers_larger_of);
}

KERNEL void whole_numbers_smaller(const whole_numbers_t *layer, const void *a, const void *b, void *output)
{
    whole_numbers_each(&layer->axes, a, b, output, whole_numbers_smaller_of);
}

#endif
