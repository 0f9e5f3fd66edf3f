/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/deltas.h"
#include <string.h>

void deltas_reset(const deltas_t *deltas)
{
    deltas->state->begun = false;
}

static void remember(const deltas_t *deltas, const int32_t *values)
{
    const size_t size = deltas->size, bytes = size * sizeof *values;
    size_t from = deltas->kept - 1;
    if (!deltas->state->begun) {
        deltas->state->begun = true;
        from = 0;
    } else {
        memmove(deltas->history, deltas->history + size, from * bytes);
    }
    for (size_t frame = from; frame < deltas->kept; frame++)
        memcpy(deltas->history + frame * size, values, bytes);
}

/* Weights sum up to at most 400 and, of one order, to no more than the quotient's divisor: the sum is below
 * 2^40, the product below 2^62, and the quotient is an int32 as each value is. */
static int32_t slope(const deltas_t *deltas, const deltas_order_t *order, size_t value)
{
    int64_t sum = 0;
    for (size_t frame = 0; frame < deltas->kept; frame++)
        sum += (int64_t)order->weights[frame] * deltas->history[frame * deltas->size + value];
    const int64_t half = INT64_C(1) << (order->shift - 1);
    return (int32_t)((sum * order->factor + half) >> order->shift);
}

void deltas_frame(const deltas_t *deltas, int32_t *values)
{
    const size_t size = deltas->size;
    remember(deltas, values);
    memcpy(values, deltas->history + deltas->kept / 2 * size, size * sizeof *values);
    for (size_t i = 0; i < deltas->orders; i++)
        for (size_t value = 0; value < size; value++)
            values[(i + 1) * size + value] = slope(deltas, &deltas->order[i], value);
}
