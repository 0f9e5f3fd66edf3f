/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in place of device/main.c in a counting image: the app's own pipeline and model, with the
 * counter read at the end of every stage. The sound or the tensors lie in the PSRAM, put there by the
 * emulator's host. */
#include "board.h"
#include "counting/chosen.h"
#include "counting/counter.h"
#include "device/app.h"
#include "port/cortex_m/cortex_m.h"
#include <string.h>

typedef struct {
    char magic[8];
    uint32_t samples;                   /* int16, after this header */
    uint32_t tensors;                   /* model->input_size bytes each, after the samples */
    uint32_t first_missed, last_missed; /* decisions after the frames of so many are counted */
    uint32_t chosen;                    /* of several models, the number of the one that is counted */
    uint32_t unused;                    /* what follows is aligned to 8 */
} counting_input_t;

enum {
    LAP_NOTHING = STAGES, /* what reading the counter takes */
    LAP_START,
    LAP_RUN,
    LAP_OTHER, /* of this file */
    LAPS,
};

static const counting_input_t *const input = (const counting_input_t *)BOARD_PSRAM_BASE;
static const pipeline_t *pipeline; /* of the model that is counted */
static const int16_t *samples;     /* the next */
static uint32_t begin;             /* of the lap */
static step_t step;

static const char *names[LAPS] = {
    [STAGE_WINDOW] = "window", [STAGE_GATE] = "gate",   [STAGE_FRONT_END] = "front_end",
    [STAGE_SCALE] = "scale",   [STAGE_CLASSIFIER] = "", [STAGE_DECISION] = "decision",
    [LAP_NOTHING] = "nothing", [LAP_START] = "start",   [LAP_RUN] = "run",
    [LAP_OTHER] = "other",
};

/* What the last lap took, and a new one begins. */
static void lap(int stage)
{
    const uint32_t end = counter_now();
    counter_tell(names[stage], end - begin);
    begin = counter_now();
}

/* Not to be reached by an error of the engine unseen. */
static void check(int error)
{
    if (error == 0)
        return;
    counter_tell("error", (uint32_t)error);
    halt();
}

/* The features of the next window, which are to be classified. */
static void next_features(void)
{
    do {
        pipeline_measured(pipeline, LAP_OTHER); /* the window's lap begins */
        samples += pipeline_push(pipeline, samples, pipeline->window->stride);
    } while (!pipeline_features(pipeline, &step));
    step.gate_open = true;
}

/* From the scaled features to the scores: what a decision costs after the front end. */
static void classify(const char *name)
{
    names[STAGE_CLASSIFIER] = name;
    pipeline_measured(pipeline, LAP_OTHER);
    pipeline_classify(pipeline, &step);
    check(step.error);
}

/* Frames without a decision, until the next may be decided with. */
static void until_turn(void)
{
    const cascade_t *cascade = pipeline->cascade;
    while (cascade->state->filled + 1 < cascade->frames || cascade->state->turn + 1 < cascade->every) {
        next_features();
        pipeline_classify(pipeline, &step);
    }
}

/* The decision after the frames of `missed` decisions. */
static void count_gap(uint32_t missed)
{
    if (!pipeline->cascade->slide) { /* the last decision has emptied it */
        until_turn();
        next_features();
        missed = 0;
    }
    step.gate_open = false;
    for (uint32_t left = missed * pipeline->cascade->every; left > 1; left--)
        pipeline_classify(pipeline, &step);
    step.gate_open = true;
    classify("missed");
}

static void count_pipeline(void)
{
    until_turn();
    pipeline->state->measure = lap;
    pipeline_measured(pipeline, LAP_OTHER);
    pipeline_measured(pipeline, LAP_NOTHING);
    next_features();
    classify("full");
    for (size_t i = 0; i < pipeline->classifier->model->more_runs; i++) {
        until_turn();
        next_features();
        classify("again");
    }
    until_turn();
    next_features();
    classify("next");
    names[STAGE_DECISION] = names[LAP_OTHER];
    for (uint32_t missed = input->first_missed; missed <= input->last_missed; missed++)
        count_gap(missed);
}

static void count_model(void)
{
    const model_t *model = app.model;
    const uint8_t *tensor = (const uint8_t *)(samples + input->samples);
    lap(LAP_OTHER);
    lap(LAP_NOTHING);
    for (uint32_t i = 0; i < input->tensors; i++, tensor += model->input_size) {
        memcpy(app.input, tensor, model->input_size);
        lap(LAP_OTHER);
        const int error = model->run(app.input, app.output);
        lap(LAP_RUN);
        check(error);
    }
}

static void start(void)
{
    begin = counter_now();
    lap(LAP_OTHER);
    const int error = pipeline != NULL ? pipeline_start(pipeline) : app.model->start();
    lap(LAP_START);
    check(error);
}

int main(void)
{
    counter_start();
    if (memcmp(input->magic, "earcount", sizeof input->magic) != 0)
        check(1);
    samples = (const int16_t *)(input + 1);
    pipeline = chosen_pipeline(input->chosen);
    start();
    if (pipeline != NULL)
        count_pipeline();
    else
        count_model();
    counter_tell("stack", (uint32_t)stack_used());
    counter_tell("end", 0);
    halt();
}
