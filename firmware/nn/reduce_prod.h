/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_REDUCE_PROD_H
#define NN_REDUCE_PROD_H

#include "dsp/dsp.h"
#include <stdint.h>

/* The product of `count` values that lie `depth` apart, for each of `depth` channels in each of `rows`
 * blocks. Each factor after the first, and the end, is scaled so that 32 bits hold what is in between. */
typedef struct {
    int32_t rows, count, depth;
    int32_t multiplier, shift; /* scaled: product * multiplier / 2^shift, halves up; shift: 8..46 */
    int32_t zero_in, zero_out;
} reduce_prod_t;

DSP_INLINE int32_t reduce_prod_scale(const reduce_prod_t *layer, int64_t product)
{
    return (int32_t)((product * layer->multiplier + ((int64_t)1 << (layer->shift - 1))) >> layer->shift);
}

KERNEL void reduce_prod(const reduce_prod_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t depth = layer->depth;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->count * depth) {
        for (int32_t channel = 0; channel < depth; channel++) {
            const int8_t *next = input + channel;
            int32_t product = *next - layer->zero_in;
            for (int32_t i = 1; i < layer->count; i++) {
                next += depth;
                product = reduce_prod_scale(layer, (int64_t)product * (*next - layer->zero_in));
            }
            const int32_t value = reduce_prod_scale(layer, product) + layer->zero_out;
            *output++ = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
        }
    }
}

#endif
