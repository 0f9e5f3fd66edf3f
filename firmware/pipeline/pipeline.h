/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "pipeline/cascade.h"
#include "pipeline/classifier.h"
#include "pipeline/decision.h"
#include "pipeline/gate.h"
#include "pipeline/window.h"

/* The chain from samples to a verdict: all that the PC's library exports, all that device/ calls. The stages
 * and their order stand in pipeline.c, once: whoever wants a part of the chain, calls that part of it. */
typedef enum {
    STAGE_WINDOW,
    STAGE_GATE,
    STAGE_FRONT_END,
    STAGE_SCALE,
    STAGE_CLASSIFIER, /* from the scaled frame to the scores, the cascade with it */
    STAGE_DECISION,
    STAGES,
} stage_t;

/* What the model hears. The generated C has one, with what it is made of: mfcc.h, micro_frontend.h; scale.h,
 * scale_formula.h. Its functions take it first, though there is one: arguments then stay in their registers.
 */
typedef struct front_end {
    size_t size;                                      /* values a frame */
    void (*reset)(const struct front_end *front_end); /* NULL: nothing lasts from window to window */
    void (*frame)(const struct front_end *front_end, const int16_t *samples, int32_t *values);
    void (*scale)(const struct front_end *front_end, const int32_t *values,
                  uint8_t *features); /* to 0..255 */
} front_end_t;

typedef struct {
    uint32_t sequence; /* windows stepped since reset */

    /* Called when a stage has ended, for whoever measures what lies between; NULL: nobody does. */
    void (*measure)(int stage);
} pipeline_state_t;

typedef struct pipeline {
    const char *name;
    const char *feature_contract; /* 16 hex digits */
    const char *const *labels;    /* decision->labels of them */
    uint32_t sample_rate;         /* Hz */
    const window_t *window;
    const gate_t *gate;
    const front_end_t *front_end;
    const cascade_t *cascade;
    const classifier_t *classifier;
    const decision_t *decision;
    /* Takes a window that the gate holds back, which then is no frame of the cascade: held_back.h. NULL: it
     * is one. */
    void (*held_back)(const struct pipeline *pipeline);
    int32_t *values; /* one frame, every stage's result */
    uint8_t *features;
    int8_t *frame;
    pipeline_state_t *state;
} pipeline_t;

/* One window through every stage; pointers are valid until the next step. */
typedef struct {
    uint64_t start;          /* stream position of the window's first sample */
    uint32_t sequence;       /* of this window, from 0 */
    bool gate_open;          /* this window passed the gate */
    bool decided;            /* scores and verdict are set */
    int error;               /* 0, or the engine's error */
    const int32_t *values;   /* front_end->size, as they come from there */
    const uint8_t *features; /* the same, 0..255 */
    const int8_t *frame;     /* the same, in the model's numbers; NULL before pipeline_classify() */
    const int8_t
        *input; /* frames * front_end->size in the tensor's order; NULL unless decided by a full run */
    const int8_t *scores; /* model->output_size values; NULL unless decided */
    verdict_t verdict;
} step_t;

/* 0, or the engine's error. Settings of the build, everything empty. Call first. */
int pipeline_start(const pipeline_t *pipeline);

/* Everything empty, sample count and sequence from 0; live settings stay. */
void pipeline_reset(const pipeline_t *pipeline);

/* Takes samples until a window is full; returns how many were taken. */
size_t pipeline_push(const pipeline_t *pipeline, const int16_t *samples, size_t count);

/* Runs one full window through the chain: the two below; false: no full window yet. */
bool pipeline_step(const pipeline_t *pipeline, step_t *step);

/* The first half, which needs no model: window, gate, front end, scale. Fills *step up to the features;
 * false: no full window yet. */
bool pipeline_features(const pipeline_t *pipeline, step_t *step);

/* The second half: takes step->features into the cascade, and where step->gate_open and the cascade is full
 * classifies it and decides. */
void pipeline_classify(const pipeline_t *pipeline, step_t *step);

/* Calls state->measure: at the end of a stage, and with a number of the caller's own (STAGES and more) where
 * that begins or ends something else. */
void pipeline_measured(const pipeline_t *pipeline, int stage);

/* First sample of the oldest window of a decision made at `step`, and the samples it spans. */
uint64_t pipeline_segment_start(const pipeline_t *pipeline, const step_t *step);
uint32_t pipeline_segment_length(const pipeline_t *pipeline);

#endif
