/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CAST_H
#define NN_CAST_H

#include "dsp/dsp.h"
#include <stdint.h>
#include <string.h>

/* The number in another width: what a narrower type cannot hold loses its upper bits. Addresses need no
 * alignment. */
typedef struct {
    int32_t count;
} cast_t;

KERNEL void cast_int8_int32(const cast_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t value = ((const int8_t *)input)[i];
        memcpy((int8_t *)output + 4 * i, &value, sizeof value);
    }
}

KERNEL void cast_uint8_int32(const cast_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t value = ((const uint8_t *)input)[i];
        memcpy((int8_t *)output + 4 * i, &value, sizeof value);
    }
}

KERNEL void cast_int16_int32(const cast_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        int16_t value;
        memcpy(&value, (const int8_t *)input + 2 * i, sizeof value);
        const int32_t wide = value;
        memcpy((int8_t *)output + 4 * i, &wide, sizeof wide);
    }
}

/* Little-endian: the lower byte, the lower two bytes. */
KERNEL void cast_int32_int8(const cast_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        ((int8_t *)output)[i] = ((const int8_t *)input)[4 * i];
    }
}

KERNEL void cast_int32_int16(const cast_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        memcpy((int8_t *)output + 2 * i, (const int8_t *)input + 4 * i, 2);
    }
}

#endif
