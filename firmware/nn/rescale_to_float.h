/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESCALE_TO_FLOAT_H
#define NN_RESCALE_TO_FLOAT_H

#include "dsp/dsp.h"
#include <stdint.h>
#include <string.h>

/* 8-bit values to floats without float arithmetic: the bits of each of the 256. */
typedef struct {
    const uint32_t *table; /* [256], over -128 .. 127 */
    int32_t count;
} rescale_to_float_t;

KERNEL void rescale_to_float(const rescale_to_float_t *layer, const int8_t *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        memcpy((int8_t *)output + 4 * i, &layer->table[input[i] + 128], sizeof *layer->table);
    }
}

#endif
