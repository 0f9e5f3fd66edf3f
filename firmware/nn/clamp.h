/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CLAMP_H
#define NN_CLAMP_H

#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>

/* Values to the nearest of low .. high, four at a time: what follows a kernel whose own clamp is that of
 * int8. May work in place. */
typedef struct {
    int32_t count;
    int32_t low, high;
} clamp_t;

KERNEL void clamp(const clamp_t *layer, const int8_t *input, int8_t *output)
{
    const uint32_t low = dsp_four_times(layer->low), high = dsp_four_times(layer->high);
    int32_t left = layer->count;
    for (; left >= 4; left -= 4, input += 4, output += 4) {
        uint32_t bytes = dsp_smaller_bytes(dsp_larger_bytes(dsp_load_bytes(input), low), high);
        memcpy(output, &bytes, sizeof bytes);
    }
    for (; left > 0; left--) {
        *output++ = (int8_t)requantize_clamp(*input++, layer->low, layer->high);
    }
}

#endif
