/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_FULLY_CONNECTED_H
#define NN_STREAM_FULLY_CONNECTED_H

#include "nn/dense_block.h"
#include "nn/fully_connected.h"
#include <stdint.h>
#include <string.h>

/*
 * Dense layer after streams: the widened rows of all time, oldest first, times the weights. Two outputs
 * share a word of weights; their order is nn/dense_block.h's.
 */
typedef struct {
    fully_connected_t dense; /* its weights are not used, its input is int16 */
    fully_connected_form_t form;
    int32_t steps;           /* inputs / 4, rounded up to an even number */
    int32_t most;            /* steps, an even number, after which a sum B may leave 24 bits */
    const uint32_t *weights; /* four outputs at a time; those after the last are 0 */
} stream_fully_connected_t;

/* A kernel over rows: `products` makes the sums of four outputs, without bias, and gives the words after. */
#define STREAM_FULLY_CONNECTED(name, products)                                                               \
    KERNEL void name(const name##_t *layer, const int16_t *input, int8_t *output)                            \
    {                                                                                                        \
        const uint32_t *weights = layer->weights;                                                            \
        for (int32_t i = 0; i < layer->dense.outputs; i += 4) {                                              \
            int32_t sums[4];                                                                                 \
            weights = products(layer, weights, input, sums);                                                 \
            fully_connected_finish(&layer->dense, i, sums, output, layer->form);                             \
        }                                                                                                    \
    }

DSP_INLINE const uint32_t *stream_fully_connected_sums(const stream_fully_connected_t *layer,
                                                       const uint32_t *weights, const int16_t *input,
                                                       int32_t sums[4])
{
    int32_t some[4];
    memset(sums, 0, sizeof some);
    for (int32_t done = 0; done < layer->steps; done += layer->most) {
        int32_t left = layer->steps - done, steps = left < layer->most ? left : layer->most;
        weights = dense_block(weights, input + 4 * done, steps / 2, some);
        for (int32_t j = 0; j < 4; j++) {
            sums[j] = (int32_t)((uint32_t)sums[j] + (uint32_t)some[j]);
        }
    }
    return weights;
}

STREAM_FULLY_CONNECTED(stream_fully_connected, stream_fully_connected_sums)

#endif
