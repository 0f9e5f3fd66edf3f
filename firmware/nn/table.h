/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_TABLE_H
#define NN_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Any function of one int8, worked out ahead of time: one table, or one a channel. */
typedef struct {
    const int8_t *table;  /* [depth][256], from the value -128 on */
    int32_t count, depth; /* values in all; tables, taken in turn */
} table_t;

/* May work in place. */
KERNEL void table(const table_t *layer, const int8_t *input, int8_t *output)
{
    const int8_t *zero = layer->table + 128;
    if (layer->depth == 1) {
        for (int32_t i = 0; i < layer->count; i++) {
            output[i] = zero[input[i]];
        }
        return;
    }
    for (int32_t i = 0; i < layer->count; i += layer->depth) {
        for (int32_t channel = 0; channel < layer->depth; channel++) {
            output[i + channel] = zero[256 * channel + input[i + channel]];
        }
    }
}

#endif
