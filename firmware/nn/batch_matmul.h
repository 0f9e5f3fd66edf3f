/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BATCH_MATMUL_H
#define NN_BATCH_MATMUL_H

#include "dsp/memory.h"
#include "nn/broadcast.h"
#include "nn/requantize.h"
#include <stdint.h>

#define BATCH_MATMUL_BLOCK 4 /* vectors of a computed together: each pair of values of b serves so many */

/*
 * Products of matrices that are both computed, one for each of the batches: every vector of a times every
 * vector of b, which are rows of one operand and columns of the other, whichever way round. Values are
 * widened to int16 once a batch, with their zero point taken off: a as a whole, so that it is the operand of
 * fewer vectors; of b a vector at a time.
 */
typedef struct {
    broadcast_t batches; /* of 1 along the last axis; steps in values */
    int32_t count_a, count_b, depth;
    int32_t vector_a, step_a; /* values from a vector to the next, and along it */
    int32_t vector_b, step_b;
    int32_t output_a, output_b; /* the same in the output */
    int32_t zero_a, zero_b;
    int32_t multiplier, left, right;
    int32_t zero_point; /* of the output */
} batch_matmul_t;

/* A vector, less its zero point, a pair every `apart` values; 0 after an odd number. */
DSP_INLINE void batch_matmul_widen(int16_t *to, int32_t apart, const int8_t *from, int32_t step,
                                   int32_t count, int32_t zero)
{
    const uint32_t zeros = dsp_twice(zero);
    for (; count >= 2; count -= 2, from += 2 * step, to += apart) {
        dsp_store_pair(to, dsp_subtract(dsp_pair(from[0], from[step]), zeros));
    }
    if (count > 0) {
        dsp_store_pair(to, dsp_pair(*from - zero, 0));
    }
}

/* All of a, in blocks: by turns a pair of each vector. Those that the last block lacks are the last one
 * again.
 */
DSP_INLINE void batch_matmul_widen_blocks(const batch_matmul_t *layer, int16_t *to, const int8_t *a)
{
    const int32_t pairs = (layer->depth + 1) / 2;
    for (int32_t block = 0; block < layer->count_a; block += BATCH_MATMUL_BLOCK) {
        for (int32_t i = 0; i < BATCH_MATMUL_BLOCK; i++, to += 2) {
            batch_matmul_widen(to, 2 * BATCH_MATMUL_BLOCK, a, layer->step_a, layer->depth, layer->zero_a);
            a += block + i + 1 < layer->count_a ? layer->vector_a : 0;
        }
        to += 2 * BATCH_MATMUL_BLOCK * (pairs - 1);
    }
}

DSP_INLINE int8_t batch_matmul_scaled(const batch_matmul_t *layer, int32_t sum)
{
    int32_t value = requantize_multiply(sum, layer->multiplier, layer->left, layer->right);
    return (int8_t)requantize_clamp((int32_t)((uint32_t)value + (uint32_t)layer->zero_point), -128, 127);
}

/* One vector of b with all of a. */
DSP_INLINE void batch_matmul_vector(const batch_matmul_t *layer, const int16_t *a, const int16_t *b,
                                    int8_t *output)
{
    const int32_t pairs = (layer->depth + 1) / 2;
    const void *x = a;
    for (int32_t left = layer->count_a; left > 0; left -= BATCH_MATMUL_BLOCK) {
        int32_t sums[BATCH_MATMUL_BLOCK] = {0};
        const int16_t *y = b;
        for (const int16_t *end = b + 2 * pairs; y != end; y += 2) {
            uint32_t x0, x1, x2, x3, pair = dsp_load_pair(y);
            x = dsp_load_two(dsp_load_two(x, &x0, &x1), &x2, &x3);
            sums[0] = dsp_dot(x0, pair, sums[0]);
            sums[1] = dsp_dot(x1, pair, sums[1]);
            sums[2] = dsp_dot(x2, pair, sums[2]);
            sums[3] = dsp_dot(x3, pair, sums[3]);
        }
        for (int32_t i = 0; i < left && i < BATCH_MATMUL_BLOCK; i++, output += layer->output_a) {
            *output = batch_matmul_scaled(layer, sums[i]);
        }
    }
}

/* scratch, aligned to 4: 4 bytes for each pair of values of a, its vectors in fours, and of one vector of b
 */
KERNEL void batch_matmul(const batch_matmul_t *layer, const int8_t *a, const int8_t *b, int8_t *output,
                         void *scratch)
{
    broadcast_row_t batch = {0};
    int16_t *blocks = scratch,
            *vector = blocks + 2 * BATCH_MATMUL_BLOCK * ((layer->depth + 1) / 2) *
                                   ((layer->count_a + BATCH_MATMUL_BLOCK - 1) / BATCH_MATMUL_BLOCK);
    do {
        batch_matmul_widen_blocks(layer, blocks, a + batch.a);
        for (int32_t i = 0; i < layer->count_b; i++) {
            batch_matmul_widen(vector, 2, b + batch.b + i * layer->vector_b, layer->step_b, layer->depth,
                               layer->zero_b);
            batch_matmul_vector(layer, blocks, vector, output + i * layer->output_b);
        }
        output += layer->count_a * layer->count_b;
    } while (broadcast_next(&layer->batches, &batch));
}

#endif
