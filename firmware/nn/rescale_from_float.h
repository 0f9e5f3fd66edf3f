/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RESCALE_FROM_FLOAT_H
#define NN_RESCALE_FROM_FLOAT_H

#include "dsp/dsp.h"
#include <stdint.h>
#include <string.h>

/*
 * Floats to 8-bit values without float arithmetic: a float's bits, read as an integer, order as floats do
 * once those below zero are turned around. Not a number becomes the level of the infinity of its sign.
 */
typedef struct {
    const int32_t *thresholds; /* 255: the least float of each level above the lowest, as such an integer */
    int32_t count;
    int32_t lowest; /* level: -128 or 0 */
} rescale_from_float_t;

KERNEL void rescale_from_float(const rescale_from_float_t *layer, const void *input, void *output)
{
    for (int32_t i = 0; i < layer->count; i++) {
        int32_t key, reached = 0;
        memcpy(&key, (const int8_t *)input + 4 * i, sizeof key);
        if (key < 0) {
            key ^= INT32_MAX;
        }
        for (int32_t half = 128; half > 0; half >>= 1) {
            if (key >= layer->thresholds[reached + half - 1]) {
                reached += half;
            }
        }
        ((uint8_t *)output)[i] = (uint8_t)(layer->lowest + reached);
    }
}

#endif
