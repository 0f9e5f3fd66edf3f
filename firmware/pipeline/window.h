#ifndef PIPELINE_WINDOW_H
#define PIPELINE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples -> windows of `size`, one every `stride`. */
typedef struct {
    size_t filled;  /* samples held */
    uint64_t start; /* stream position of samples[0] since reset */
    bool taken;     /* the full window was handed out */
    int32_t level;  /* mean of what came, Q14; where dc_block is not 0 */
} window_state_t;

typedef struct {
    size_t size, stride; /* 1 <= stride <= size */
    int16_t *samples;    /* size values and more up to a multiple of 4, for mfcc.h; aligned to 4 */
    window_state_t *state;
    uint32_t dc_block; /* 4..12: a level of the microphone's is taken off: a high-pass filter of the first
                          order, sample rate / (2 pi 2^dc_block) Hz; 0: samples stay as they come */
} window_t;

/* Empties the window and restarts the sample count. */
void window_reset(const window_t *window);

/* Takes samples until a window is full; returns how many were taken: 0 while a full window waits for
 * window_next. */
size_t window_push(const window_t *window, const int16_t *samples, size_t count);

/* The full window, handed out once, and in *start the position of its first sample; NULL while there is none.
 * Valid until the next push, which starts the next window. */
const int16_t *window_next(const window_t *window, uint64_t *start);

#endif
