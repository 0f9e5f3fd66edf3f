/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_EXTREME_16X8_H
#define NN_EXTREME_16X8_H

#include "nn/elementwise_16x8.h"
#include <stdint.h>

/* The larger or the smaller of two int16 tensors, of the numbers as they are. */
typedef struct {
    broadcast_t axes;
} extreme_16x8_t;

DSP_INLINE int16_t extreme_16x8_larger(const void *layer, int32_t a, int32_t b)
{
    (void)layer;
    return (int16_t)(a > b ? a : b);
}

DSP_INLINE int16_t extreme_16x8_smaller(const void *layer, int32_t a, int32_t b)
{
    (void)layer;
    return (int16_t)(a < b ? a : b);
}

/* int16, aligned to 2. Both may work in place of an operand of the output's shape. */
KERNEL void extreme_16x8_largest(const extreme_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, extreme_16x8_larger, layer);
}

KERNEL void extreme_16x8_smallest(const extreme_16x8_t *layer, const void *a, const void *b, void *output)
{
    elementwise_16x8_each(&layer->axes, a, b, output, extreme_16x8_smaller, layer);
}

#endif
