/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_WINDOW_H
#define PIPELINE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples -> windows of `size`, one every `stride`. */
typedef struct {
    size_t filled;  /* samples held */
    size_t gap;     /* samples still to come before the window's first */
    uint64_t start; /* stream position of samples[0] since reset */
    bool taken;     /* the full window was handed out */
    int32_t level;  /* mean of what came, Q14: dc_block.h */
} window_state_t;

typedef struct window {
    size_t size, stride; /* from 1 */
    int16_t *samples;    /* size values and more up to a multiple of 4, for mfcc.h; aligned to 4 */
    window_state_t *state;
    /* Takes the samples between two windows: window_gap.h; NULL: stride <= size, there are none. */
    size_t (*skip)(const struct window *window, const int16_t *samples, size_t count);
    /* What samples pass on their way in: dc_block.h; NULL: they stay as they come. */
    void (*intake)(const struct window *window, const int16_t *samples, size_t count, int16_t *out);
    uint32_t dc_block; /* 4..12, for dc_block.h */
} window_t;

/* Empties the window and restarts the sample count. */
void window_reset(const window_t *window);

/* Takes samples until a window is full; returns how many were taken, those between two windows with them: 0
 * while a full window waits for window_next. */
size_t window_push(const window_t *window, const int16_t *samples, size_t count);

/* The full window, handed out once, and in *start the position of its first sample; NULL while there is none.
 * Valid until the next push, which starts the next window. */
const int16_t *window_next(const window_t *window, uint64_t *start);

#endif
