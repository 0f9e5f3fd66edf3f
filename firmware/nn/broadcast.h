/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BROADCAST_H
#define NN_BROADCAST_H

#include "dsp/dsp.h"
#include <stdint.h>

#define BROADCAST_RANK 5

/* How two operands run along with an output that is written in order: loops from the outermost in. A step of
 * 0 repeats. */
typedef struct {
    int32_t size[BROADCAST_RANK];
    int32_t step_a[BROADCAST_RANK], step_b[BROADCAST_RANK]; /* elements */
} broadcast_t;

/* Where a row of the innermost loop starts; advances to the next row, false after the last. Starts as zeros.
 */
typedef struct {
    int32_t index[BROADCAST_RANK - 1];
    int32_t a, b; /* elements */
} broadcast_row_t;

DSP_INLINE int broadcast_next(const broadcast_t *axes, broadcast_row_t *row)
{
    for (int i = BROADCAST_RANK - 2; i >= 0; i--) {
        row->a += axes->step_a[i];
        row->b += axes->step_b[i];
        if (++row->index[i] < axes->size[i]) {
            return 1;
        }
        row->index[i] = 0;
        row->a -= axes->size[i] * axes->step_a[i];
        row->b -= axes->size[i] * axes->step_b[i];
    }
    return 0;
}

/* What a kernel makes of an element of each operand; inlined into its loop. */
typedef int8_t broadcast_function_t(const void *layer, int32_t a, int32_t b);

/* Each element of the output in order. */
DSP_INLINE void broadcast_each(const broadcast_t *axes, const int8_t *a, const int8_t *b, int8_t *output,
                               broadcast_function_t *function, const void *layer)
{
    const int32_t last = BROADCAST_RANK - 1, count = axes->size[last];
    const int32_t step_a = axes->step_a[last], step_b = axes->step_b[last];
    broadcast_row_t row = {0};
    do {
        const int8_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            *output++ = function(layer, *x, *y);
        }
    } while (broadcast_next(axes, &row));
}

#endif
