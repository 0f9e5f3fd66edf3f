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

#endif
