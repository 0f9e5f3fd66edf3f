/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_FULLY_CONNECTED_INT16_H
#define NN_STREAM_FULLY_CONNECTED_INT16_H

#include "nn/dense_block.h"
#include "nn/fully_connected.h"
#include <stdint.h>

/* nn/stream_fully_connected.h with weights of two bytes: twice the flash, a quarter fewer instructions. */
typedef struct {
    fully_connected_t dense; /* its weights are not used, its input is int16 */
    fully_connected_form_t form;
    int32_t steps;           /* inputs / 4, rounded up to an even number */
    const uint32_t *weights; /* four outputs at a time; those after the last are 0 */
} stream_fully_connected_int16_t;

KERNEL void stream_fully_connected_int16(const stream_fully_connected_int16_t *layer, const int16_t *input,
                                         int8_t *output)
{
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < layer->dense.outputs; i += 4) {
        int32_t sums[4];
        weights = dense_block_int16(weights, input, layer->steps / 2, sums);
        fully_connected_finish(&layer->dense, i, sums, output, layer->form);
    }
}

#endif
