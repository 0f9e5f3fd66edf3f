/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_EXTREME_H
#define NN_EXTREME_H

#include "nn/broadcast.h"
#include <stdint.h>

/* The larger or the smaller of two int8 tensors, element by element. */
typedef struct {
    broadcast_t axes;
} extreme_t;

DSP_INLINE int8_t extreme_larger(const void *layer, int32_t a, int32_t b)
{
    (void)layer;
    return (int8_t)(a > b ? a : b);
}

DSP_INLINE int8_t extreme_smaller(const void *layer, int32_t a, int32_t b)
{
    (void)layer;
    return (int8_t)(a < b ? a : b);
}

/* Both may work in place of an operand of the output's shape. */
KERNEL void extreme_largest(const extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, extreme_larger, layer);
}

KERNEL void extreme_smallest(const extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    broadcast_each(&layer->axes, a, b, output, extreme_smaller, layer);
}

#endif
