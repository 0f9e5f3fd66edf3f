/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STRIDED_COPY_H
#define NN_STRIDED_COPY_H

#include "dsp/dsp.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STRIDED_COPY_RANK 5

/*
 * Moves bytes: runs of consecutive ones, in loops from the outermost in. Slices, transposes, parts of a
 * concatenation, padding.
 */
typedef struct {
    int32_t size[STRIDED_COPY_RANK];
    int32_t step_in[STRIDED_COPY_RANK], step_out[STRIDED_COPY_RANK]; /* bytes, may be negative */
    int32_t start_in, start_out;
    int32_t run;   /* bytes of a run */
    int32_t whole; /* bytes of the output, for strided_copy_padded */
    int32_t fill;  /* what it is filled with first */
} strided_copy_t;

DSP_INLINE void strided_copy_run(int8_t *to, const int8_t *from, int32_t run)
{
    if (run >= 16) {
        memcpy(to, from, (size_t)run);
        return;
    }
    for (int32_t i = 0; i < run; i++) {
        to[i] = from[i];
    }
}

KERNEL void strided_copy(const strided_copy_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t last = STRIDED_COPY_RANK - 1;
    int32_t index[STRIDED_COPY_RANK] = {0}, from = layer->start_in, to = layer->start_out;
    for (;;) {
        for (int32_t i = 0, a = from, b = to; i < layer->size[last]; i++) {
            strided_copy_run(output + b, input + a, layer->run);
            a += layer->step_in[last];
            b += layer->step_out[last];
        }
        int32_t axis = last - 1;
        for (; axis >= 0; axis--) {
            from += layer->step_in[axis];
            to += layer->step_out[axis];
            if (++index[axis] < layer->size[axis]) {
                break;
            }
            from -= layer->step_in[axis] * layer->size[axis];
            to -= layer->step_out[axis] * layer->size[axis];
            index[axis] = 0;
        }
        if (axis < 0) {
            return;
        }
    }
}

/* Into an output that is filled with one byte first. */
KERNEL void strided_copy_padded(const strided_copy_t *layer, const int8_t *input, int8_t *output)
{
    memset(output, layer->fill, (size_t)layer->whole);
    strided_copy(layer, input, output);
}

#endif
