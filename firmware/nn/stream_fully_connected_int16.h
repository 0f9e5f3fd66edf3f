/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_FULLY_CONNECTED_INT16_H
#define NN_STREAM_FULLY_CONNECTED_INT16_H

#include "nn/stream_fully_connected.h"
#include <stdint.h>

/* nn/stream_fully_connected.h with weights of two bytes: twice the flash, a quarter fewer instructions. */
typedef struct {
    fully_connected_t dense; /* its weights are not used, its input is int16 */
    fully_connected_form_t form;
    int32_t steps;           /* inputs / 4, rounded up to an even number */
    const uint32_t *weights; /* four outputs at a time; those after the last are 0 */
} stream_fully_connected_int16_t;

DSP_INLINE const uint32_t *stream_fully_connected_int16_sums(const stream_fully_connected_int16_t *layer,
                                                             const uint32_t *weights, const int16_t *input,
                                                             int32_t sums[4])
{
    return dense_block_int16(weights, input, layer->steps / 2, sums);
}

STREAM_FULLY_CONNECTED(stream_fully_connected_int16, stream_fully_connected_int16_sums)

#endif
