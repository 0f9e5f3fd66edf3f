/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_LISTEN_H
#define DEVICE_LISTEN_H

#include "pipeline/pipeline.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples -> pipeline -> lines. Sound comes from the microphone (live), from audio lines (replay) or not at
 * all. */

typedef struct {
    uint32_t windows, decisions; /* since start */
    uint32_t late;               /* live windows that took longer than one stride lasts */
    uint32_t restarts;           /* of a microphone that gave no sound */
    uint32_t lost;               /* samples that found the microphone's ring full while it was listened to */
} listen_counts_t;

/* From the microphone, everything empty. false: there is none with this sample rate, nothing changes. */
bool listen_live(void);

/* From audio lines, everything empty. Lines out wait for room. */
void listen_replay(void);

bool listen_is_live(void);
bool listen_is_replay(void);

/* Live: takes what the microphone has; true when there was something. A microphone that gives none is started
 * again, later and later, and at last the chip is reset. */
bool listen_poll(void);

/* A host has sent a line: while it works, a microphone's fault resets nothing. */
void listen_host(void);

/* Samples through the pipeline, their lines out. */
void listen_push(const int16_t *samples, size_t count);

/* What a model made of one window: its lines out. */
void listen_tell(const pipeline_t *pipeline, const step_t *step);

void listen_set_stages(bool stages);
bool listen_stages(void);
listen_counts_t listen_counts(void);

#endif
