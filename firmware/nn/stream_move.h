/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_MOVE_H
#define NN_STREAM_MOVE_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>
#include <string.h>

/* Moves `bytes` down by `step`: rows grow older. 8 registers at a time where all is whole words, else one. */
KERNEL void stream_move(void *to, int32_t step, int32_t bytes)
{
    int8_t *target = to;
    const int8_t *from = target + step;
    if (bytes > 0 && bytes % 32 == 0 && step % 4 == 0) {
        dsp_move_down(to, (const int16_t *)(const void *)from, bytes / 2);
        return;
    }
    int32_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        memcpy(target + i, &word, sizeof word);
    }
    for (; i < bytes; i++) {
        target[i] = from[i];
    }
}

#endif
