/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_MEMBER_H
#define PIPELINE_MEMBER_H

#include "pipeline/pipeline.h"

/* One of several models that hear the same windows. The first one's pipeline has the window, the gate and the
 * front end; those of the others point to the same. A model with `waits_for` is not run until that one has
 * detected what it waits for: the windows before are to it as those that the gate holds back. */
typedef struct {
    uint8_t detected; /* in this window: class_index of the verdict, 0 for none */
    uint32_t since;   /* windows since the detection that it waits for, 0 in its own; UINT32_MAX: none yet */
} member_state_t;

typedef struct member {
    const char *name;
    const char *model_hash; /* first 16 hex digits of the .tflite's SHA-256 */
    const pipeline_t *pipeline;
    const struct member *waits_for; /* one that is run before this one; NULL: for none */
    const char *opener;             /* name, or name.label, of what it waits for; NULL: nothing */
    uint8_t awaits;                 /* class_index, 0: of any label */
    uint32_t stays;                 /* windows for which it then runs, from that of the detection on */
    member_state_t *state;
} member_t;

/* No detection yet; the pipeline has a reset of its own. */
void member_reset(const member_t *member);

/* What this model makes of a window that the first one has heard: *step as pipeline_step() gives it. */
void member_step(const member_t *member, const step_t *heard, step_t *step);

/* Its step of this window is made, which those that wait for it look at. member_step() calls it; the first
 * one's pipeline_step() does not. */
void member_stepped(const member_t *member, const step_t *step);

#endif
