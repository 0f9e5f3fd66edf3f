/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_COMPARE_H
#define NN_COMPARE_H

#include "nn/broadcast.h"
#include <stdint.h>

/* Whether two int8 tensors are equal, or the first is less or greater, element by element: 1 or 0. Each value
 * counts by its rank among all that both operands can have. */
typedef struct {
    broadcast_t axes;
    const int16_t *rank_a, *rank_b; /* of -128 .. 127 */
    int32_t negated;                /* 1: the opposite */
} compare_t;

DSP_INLINE int8_t compare_is_equal(const void *kernel, int32_t a, int32_t b)
{
    const compare_t *layer = kernel;
    return (int8_t)((layer->rank_a[a + 128] == layer->rank_b[b + 128]) ^ layer->negated);
}

DSP_INLINE int8_t compare_is_less(const void *kernel, int32_t a, int32_t b)
{
    const compare_t *layer = kernel;
    return (int8_t)((layer->rank_a[a + 128] < layer->rank_b[b + 128]) ^ layer->negated);
}

DSP_INLINE int8_t compare_is_greater(const void *kernel, int32_t a, int32_t b)
{
    const compare_t *layer = kernel;
    return (int8_t)((layer->rank_a[a + 128] > layer->rank_b[b + 128]) ^ layer->negated);
}

/* All may work in place of an operand of the output's shape. */
KERNEL void compare_equal(const compare_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, compare_is_equal, layer);
}

KERNEL void compare_less(const compare_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, compare_is_less, layer);
}

KERNEL void compare_greater(const compare_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, compare_is_greater, layer);
}

#endif
