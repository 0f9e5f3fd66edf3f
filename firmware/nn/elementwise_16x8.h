/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ELEMENTWISE_16X8_H
#define NN_ELEMENTWISE_16X8_H

#include "nn/broadcast.h"
#include <stdint.h>

/* What a kernel makes of an element of each of two int16 operands; inlined into its loop. */
typedef int16_t elementwise_16x8_function_t(const void *layer, int32_t a, int32_t b);

/* Each element of the output in order; as broadcast_each of int8. All aligned to 2. */
DSP_INLINE void elementwise_16x8_each(const broadcast_t *axes, const int16_t *a, const int16_t *b,
                                      int16_t *output, elementwise_16x8_function_t *function,
                                      const void *layer)
{
    const int32_t last = BROADCAST_RANK - 1, count = axes->size[last];
    const int32_t step_a = axes->step_a[last], step_b = axes->step_b[last];
    broadcast_row_t row = {0};
    do {
        const int16_t *x = a + row.a, *y = b + row.b;
        for (int32_t i = 0; i < count; i++, x += step_a, y += step_b) {
            *output++ = function(layer, *x, *y);
        }
    } while (broadcast_next(axes, &row));
}

#endif
