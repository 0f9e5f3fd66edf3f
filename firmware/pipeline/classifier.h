/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_CLASSIFIER_H
#define PIPELINE_CLASSIFIER_H

#include "nn/model.h"
#include "pipeline/cascade.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Features -> the model's numbers -> scores. Chooses run or advance from cascade_count(). */
typedef struct {
    uint32_t count; /* cascade_count() at the last decision */
    uint32_t runs;  /* full runs, decision after decision, up to that one: what the model has kept */
    bool full;      /* that decision was a full run: `input` is its tensor */
} classifier_state_t;

typedef struct {
    const model_t *model;
    size_t frames, frame_size;
    bool transpose;         /* layout "cepstra_by_frames" */
    const int8_t *quantize; /* 256: feature -> the tensor's int8 */
    int8_t *input;          /* frames * frame_size */
    int8_t *scores;         /* model->output_size */
    classifier_state_t *state;
} classifier_t;

void classifier_reset(const classifier_t *classifier);

/* One frame of features into the model's int8. */
void classifier_frame(const classifier_t *classifier, const uint8_t *features, int8_t *frame);

/* Scores for the cascade's content into classifier->scores; 0, or the engine's error. */
int classifier_run(const classifier_t *classifier, const cascade_t *cascade);

/* The tensor of the last decision, to look at: laid out now where advance() had no need of it. */
const int8_t *classifier_input(const classifier_t *classifier, const cascade_t *cascade);

#endif
