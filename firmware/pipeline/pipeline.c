/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

int pipeline_start(const pipeline_t *pipeline)
{
    const int error = pipeline->classifier->model->start();
    if (error != 0)
        return error;
    gate_restore(pipeline->gate);
    decision_restore(pipeline->decision);
    pipeline_reset(pipeline);
    return 0;
}

void pipeline_reset(const pipeline_t *pipeline)
{
    window_reset(pipeline->window);
    gate_reset(pipeline->gate);
    if (pipeline->front_end->reset != NULL)
        pipeline->front_end->reset(pipeline->front_end);
    cascade_reset(pipeline->cascade);
    classifier_reset(pipeline->classifier);
    decision_reset(pipeline->decision);
    pipeline->state->sequence = 0;
}

size_t pipeline_push(const pipeline_t *pipeline, const int16_t *samples, size_t count)
{
    return window_push(pipeline->window, samples, count);
}

void pipeline_measured(const pipeline_t *pipeline, int stage)
{
    if (pipeline->state->measure != NULL)
        pipeline->state->measure(stage);
}

bool pipeline_features(const pipeline_t *pipeline, step_t *step)
{
    uint64_t start;
    const int16_t *samples = window_next(pipeline->window, &start);
    pipeline_measured(pipeline, STAGE_WINDOW);
    if (samples == NULL)
        return false;

    const bool open = gate_step(pipeline->gate, samples, pipeline->window->size);
    pipeline_measured(pipeline, STAGE_GATE);
    pipeline->front_end->frame(pipeline->front_end, samples, pipeline->values);
    pipeline_measured(pipeline, STAGE_FRONT_END);
    pipeline->front_end->scale(pipeline->front_end, pipeline->values, pipeline->features);
    pipeline_measured(pipeline, STAGE_SCALE);

    *step = (step_t){
        .start = start,
        .sequence = pipeline->state->sequence++,
        .gate_open = open,
        .values = pipeline->values,
        .features = pipeline->features,
    };
    return true;
}

/* Every window becomes a frame of the cascade, which so has no gaps; the gate decides whether to classify it.
 * Not so where a window that is held back is a gap to the model: held_back.h. */
void pipeline_classify(const pipeline_t *pipeline, step_t *step)
{
    const classifier_t *classifier = pipeline->classifier;
    classifier_frame(classifier, step->features, pipeline->frame);
    step->frame = pipeline->frame;
    if (!step->gate_open) {
        if (pipeline->held_back != NULL)
            pipeline->held_back(pipeline);
        else
            cascade_push(pipeline->cascade, pipeline->frame);
        return;
    }
    cascade_push(pipeline->cascade, pipeline->frame);
    if (!cascade_ready(pipeline->cascade))
        return;

    step->error = classifier_run(classifier, pipeline->cascade);
    if (step->error != 0)
        return;
    cascade_decided(pipeline->cascade);
    step->decided = true;
    step->input = classifier->state->full ? classifier->input : NULL;
    step->scores = classifier->scores;
    pipeline_measured(pipeline, STAGE_CLASSIFIER);
    step->verdict = decision_step(pipeline->decision, classifier->scores);
    pipeline_measured(pipeline, STAGE_DECISION);
}

bool pipeline_step(const pipeline_t *pipeline, step_t *step)
{
    if (!pipeline_features(pipeline, step))
        return false;
    pipeline_classify(pipeline, step);
    return true;
}

uint64_t pipeline_segment_start(const pipeline_t *pipeline, const step_t *step)
{
    return step->start - (uint64_t)(pipeline->cascade->frames - 1) * pipeline->window->stride;
}

uint32_t pipeline_segment_length(const pipeline_t *pipeline)
{
    return (uint32_t)((pipeline->cascade->frames - 1) * pipeline->window->stride + pipeline->window->size);
}
