/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DELTAS_H
#define PIPELINE_DELTAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a front end's values change in time, as Kaldi's add-deltas: behind the values of a frame their slopes
 * over the frames on either side, and behind these the slopes' slopes. The frames after it have to be heard
 * first, so what comes out is of a frame (kept - 1) / 2 windows ago. Before the first frame lie copies of it.
 */
typedef struct {
    bool begun;
} deltas_state_t;

/* One order: sum of weight times value over the frames kept, times factor / 2^shift. */
typedef struct {
    const int16_t *weights; /* kept, the oldest frame's first */
    int32_t factor;         /* 2^21 and more, below 2^22 */
    uint32_t shift;         /* 1..63 */
} deltas_order_t;

typedef struct {
    size_t size; /* values of a front end's frame */
    size_t kept; /* frames: 3..17, odd */
    size_t orders;
    const deltas_order_t *order; /* orders: 1 or 2 */
    int32_t *history;            /* kept * size, the oldest frame first */
    deltas_state_t *state;
} deltas_t;

/* Forgets the frames before. */
void deltas_reset(const deltas_t *deltas);

/* `size` values of the newest frame become (1 + orders) * size values of one before it. */
void deltas_frame(const deltas_t *deltas, int32_t *values);

#endif
