/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESCALE_H
#define NN_RESCALE_H

#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/* Another type, scale or zero point, where values of 16 or 32 bits are on one side. Addresses need no
 * alignment. */
typedef struct {
    int32_t count;
    int32_t multiplier, left, right;
    int32_t zero_in, zero_out;
    int32_t low, high; /* of the output's type */
} rescale_t;

DSP_INLINE int32_t rescale_value(const rescale_t *layer, int32_t value)
{
    value = requantize_multiply(value - layer->zero_in, layer->multiplier, layer->left, layer->right);
    return requantize_clamp(value + layer->zero_out, layer->low, layer->high);
}

/* The same of any number of 32 bits: sums wrap. */
DSP_INLINE int32_t rescale_wide(const rescale_t *layer, int32_t value)
{
    value = (int32_t)((uint32_t)value - (uint32_t)layer->zero_in);
    value = requantize_multiply(value, layer->multiplier, layer->left, layer->right);
    return requantize_clamp((int32_t)((uint32_t)value + (uint32_t)layer->zero_out), layer->low, layer->high);
}

DSP_INLINE int32_t rescale_read(const void *values, int32_t i)
{
    int16_t value;
    memcpy(&value, (const int8_t *)values + 2 * i, sizeof value);
    return value;
}

DSP_INLINE int32_t rescale_read_wide(const void *values, int32_t i)
{
    int32_t value;
    memcpy(&value, (const int8_t *)values + 4 * i, sizeof value);
    return value;
}

DSP_INLINE void rescale_write(void *values, int32_t i, int32_t number)
{
    int16_t value = (int16_t)number;
    memcpy((int8_t *)values + 2 * i, &value, sizeof value);
}

DSP_INLINE void rescale_write_wide(void *values, int32_t i, int32_t number)
{
    memcpy((int8_t *)values + 4 * i, &number, sizeof number);
}

KERNEL void rescale_int8_int16(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        rescale_write(output, i, rescale_value(layer, ((const int8_t *)input)[i]));
    }
}

KERNEL void rescale_int16_int8(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        ((int8_t *)output)[i] = (int8_t)rescale_value(layer, rescale_read(input, i));
    }
}

KERNEL void rescale_int8_int32(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        rescale_write_wide(output, i, rescale_value(layer, ((const int8_t *)input)[i]));
    }
}

KERNEL void rescale_int16_int32(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        rescale_write_wide(output, i, rescale_value(layer, rescale_read(input, i)));
    }
}

KERNEL void rescale_int32_int8(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        ((int8_t *)output)[i] = (int8_t)rescale_wide(layer, rescale_read_wide(input, i));
    }
}

KERNEL void rescale_int32_int16(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        rescale_write(output, i, rescale_wide(layer, rescale_read_wide(input, i)));
    }
}

KERNEL void rescale_int16_int16(const rescale_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        rescale_write(output, i, rescale_value(layer, rescale_read(input, i)));
    }
}

#endif
