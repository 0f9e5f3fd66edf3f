/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/classifier.h"

void classifier_reset(const classifier_t *classifier)
{
    *classifier->state = (classifier_state_t){0};
    classifier->model->reset();
}

void classifier_frame(const classifier_t *classifier, const uint8_t *features, int8_t *frame)
{
    const int8_t *quantize = classifier->quantize;
    size_t left = classifier->frame_size;
    do {
        left--;
        frame[left] = quantize[features[left]];
    } while (left > 0);
}

static void lay_out(const classifier_t *classifier, const cascade_t *cascade)
{
    if (!classifier->transpose) {
        cascade_copy(cascade, classifier->input);
        return;
    }
    const size_t frames = classifier->frames;
    for (size_t i = 0; i < frames; i++) {
        const int8_t *frame = cascade_frame(cascade, frames - 1 - i);
        for (size_t j = 0; j < classifier->frame_size; j++)
            classifier->input[j * frames + i] = frame[j];
    }
}

int classifier_run(const classifier_t *classifier, const cascade_t *cascade)
{
    const model_t *model = classifier->model;
    classifier_state_t *state = classifier->state;
    const uint32_t count = cascade_count(cascade);
    const uint32_t missed = count - state->count;

    if (state->runs > 0 && missed == 0)
        return 0; /* decided already; again would take a turn of a model that keeps rows in turns (more_runs)
                   */
    if (state->runs > model->more_runs && missed < model->catch_up && missed <= classifier->frames) {
        for (size_t age = missed; age-- > 0;)
            model->advance(cascade_frame(cascade, age));
        model->finish(classifier->scores);
        state->full = false;
    } else {
        lay_out(classifier, cascade);
        const int error = model->run(classifier->input, classifier->scores);
        if (error != 0) {
            state->runs = 0;
            return error;
        }
        state->runs = model->advance == NULL ? 0 : missed == cascade->every ? state->runs + 1 : 1;
        state->full = true;
    }
    state->count = count;
    return 0;
}

const int8_t *classifier_input(const classifier_t *classifier, const cascade_t *cascade)
{
    if (!classifier->state->full)
        lay_out(classifier, cascade);
    return classifier->input;
}
