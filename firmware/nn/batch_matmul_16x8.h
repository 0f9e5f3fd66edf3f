/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BATCH_MATMUL_16X8_H
#define NN_BATCH_MATMUL_16X8_H

#include "nn/broadcast.h"
#include "nn/requantize_16x8.h"
#include <stdint.h>

/*
 * Products of matrices of int16, one for each of the batches: every vector of a times every vector of b,
 * which are rows of one operand and columns of the other, whichever way round. Sums have 64 bits.
 */
typedef struct {
    broadcast_t batches; /* of 1 along the last axis; steps in values */
    int32_t count_a, count_b, depth;
    int32_t vector_a, step_a; /* values from a vector to the next, and along it */
    int32_t vector_b, step_b;
    int32_t output_a, output_b; /* the same in the output */
    requantize_16x8_t scaling;
} batch_matmul_16x8_t;

DSP_INLINE int16_t batch_matmul_16x8_product(const batch_matmul_16x8_t *layer, const int16_t *a,
                                             const int16_t *b)
{
    int64_t sum = 0;
    for (int32_t i = layer->depth; i > 0; i--, a += layer->step_a, b += layer->step_b) {
        sum += *a * *b;
    }
    return (int16_t)requantize_clamp(requantize_reduced(sum, &layer->scaling), INT16_MIN, INT16_MAX);
}

/* a, b, output: int16, aligned to 2. */
KERNEL void batch_matmul_16x8(const batch_matmul_16x8_t *layer, const void *a, const void *b, void *output)
{
    broadcast_row_t batch = {0};
    int16_t *to = output;
    do {
        const int16_t *y = (const int16_t *)b + batch.b;
        for (int32_t i = 0; i < layer->count_b; i++, y += layer->vector_b) {
            const int16_t *x = (const int16_t *)a + batch.a;
            for (int32_t j = 0; j < layer->count_a; j++, x += layer->vector_a) {
                to[i * layer->output_b + j * layer->output_a] = batch_matmul_16x8_product(layer, x, y);
            }
        }
        to += layer->count_a * layer->count_b;
    } while (broadcast_next(&layer->batches, &batch));
}

#endif
