/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FUNCTION_16X8_H
#define NN_FUNCTION_16X8_H

#include "dsp/dsp.h"
#include <stdint.h>

/* Any function of one int16, worked out ahead of time at 513 places, with straight lines between them. */
typedef struct {
    const int16_t *table; /* [513], from the value -32768 on */
    int32_t count;
} function_16x8_t;

/* A line's rise wraps to 16 bits, as TFLite's does, and so does what lies on it. */
DSP_INLINE int16_t function_16x8_at(const int16_t *table, int32_t value)
{
    const int16_t *step = table + 256 + (value >> 7);
    const int32_t rise = (int16_t)(step[1] - step[0]);
    return (int16_t)(step[0] + ((rise * (value & 127) + 64) >> 7));
}

/* int16, aligned to 2. May work in place. */
KERNEL void function_16x8(const function_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = layer->count; i > 0; i--) {
        *to++ = function_16x8_at(layer->table, *from++);
    }
}

#endif
