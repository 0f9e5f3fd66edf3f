/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FUNCTION_16X8_H
#define NN_FUNCTION_16X8_H

#include "nn/look_up_16x8.h"
#include <stdint.h>

/* Any function of one int16, worked out ahead of time at 513 places. */
typedef struct {
    const int16_t *table; /* [513], from the value -32768 on */
    int32_t count;
} function_16x8_t;

/* int16, aligned to 2. May work in place. */
KERNEL void function_16x8(const function_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    int16_t *to = output;
    for (int32_t i = layer->count; i > 0; i--) {
        *to++ = look_up_16x8(layer->table, *from++);
    }
}

#endif
