/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_CASCADE_H
#define PIPELINE_CASCADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The only ring of frames. Counts every frame ever pushed. */
typedef struct {
    uint32_t count;  /* frames ever pushed; wraps */
    uint32_t filled; /* frames held, up to `frames` */
    uint32_t newest; /* slot of the newest frame */
    uint32_t turn;   /* frames since the last one with which a decision may be made */
} cascade_state_t;

typedef struct {
    size_t frames, frame_size;
    bool slide;
    uint32_t every; /* frames from one with which a decision may be made to the next */
    int8_t *ring;   /* frames * frame_size */
    cascade_state_t *state;
} cascade_t;

void cascade_reset(const cascade_t *cascade);
void cascade_push(const cascade_t *cascade, const int8_t *frame);

/* It is full, and the newest frame is one with which a decision may be made. */
bool cascade_ready(const cascade_t *cascade);

uint32_t cascade_count(const cascade_t *cascade);

/* A decision was made: without slide the ring is emptied. */
void cascade_decided(const cascade_t *cascade);

/* The frame that came `age` frames before the newest (0 = newest); age < frames held. */
const int8_t *cascade_frame(const cascade_t *cascade, size_t age);

/* All frames, oldest first: frames * frame_size values. */
void cascade_copy(const cascade_t *cascade, int8_t *frames);

#endif
