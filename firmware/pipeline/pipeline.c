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
    cascade_reset(pipeline->cascade);
    classifier_reset(pipeline->classifier);
    decision_reset(pipeline->decision);
    pipeline->state->sequence = 0;
}

size_t pipeline_push(const pipeline_t *pipeline, const int16_t *samples, size_t count)
{
    return window_push(pipeline->window, samples, count);
}

/* Every window becomes a frame of the cascade, which so has no gaps; the gate decides whether to classify it.
 */
bool pipeline_step(const pipeline_t *pipeline, step_t *step)
{
    uint64_t start;
    const int16_t *samples = window_next(pipeline->window, &start);
    if (samples == NULL)
        return false;

    mfcc_frame(pipeline->mfcc, samples, pipeline->cepstra);
    scale_frame(pipeline->scale, pipeline->cepstra, pipeline->features);
    classifier_frame(pipeline->classifier, pipeline->features, pipeline->frame);
    cascade_push(pipeline->cascade, pipeline->frame);
    const bool open = gate_step(pipeline->gate, samples, pipeline->window->size);

    *step = (step_t){
        .start = start,
        .sequence = pipeline->state->sequence++,
        .gate_open = open,
        .cepstra = pipeline->cepstra,
        .features = pipeline->features,
        .frame = pipeline->frame,
    };
    if (!step->gate_open || !cascade_ready(pipeline->cascade))
        return true;

    const classifier_t *classifier = pipeline->classifier;
    step->error = classifier_run(classifier, pipeline->cascade);
    if (step->error != 0)
        return true;
    cascade_decided(pipeline->cascade);
    step->decided = true;
    step->input = classifier->state->full ? classifier->input : NULL;
    step->scores = classifier->scores;
    step->verdict = decision_step(pipeline->decision, classifier->scores);
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
