/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ARG_EXTREME_H
#define NN_ARG_EXTREME_H

#include "dsp/dsp.h"
#include <stdint.h>

/* Along one axis the index of the largest or smallest value, of equals the first: int32. */
typedef struct {
    int32_t outer, count, inner; /* values before the axis, on it, after it */
} arg_extreme_t;

DSP_INLINE void arg_extreme_each(const arg_extreme_t *layer, const int8_t *input, int32_t *output, int sign)
{
    const int32_t inner = layer->inner;
    for (int32_t outer = 0; outer < layer->outer; outer++) {
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t j = 1; j < layer->count; j++)
                if (sign * input[j * inner + i] > sign * input[best * inner + i])
                    best = j;
            *output++ = best;
        }
        input += layer->count * inner;
    }
}

KERNEL void arg_extreme_largest(const arg_extreme_t *layer, const int8_t *input, void *output)
{
    arg_extreme_each(layer, input, output, 1);
}

KERNEL void arg_extreme_smallest(const arg_extreme_t *layer, const int8_t *input, void *output)
{
    arg_extreme_each(layer, input, output, -1);
}

#endif
