/* What stands in place of device/main.c in a counting image: the app's own pipeline and model, stage by
 * stage, with the counter read around each. The sound or the tensors lie in the PSRAM, put there by the
 * emulator's host. */
#include "board.h"
#include "counting/counter.h"
#include "device/app.h"
#include "port/cortex_m/cortex_m.h"
#include <string.h>

typedef struct {
    char magic[8];
    uint32_t samples;                   /* int16, behind this header */
    uint32_t tensors;                   /* model->input_size bytes each, behind the samples */
    uint32_t first_missed, last_missed; /* decisions after so many frames are counted */
} counting_input_t;

static const counting_input_t *const input = (const counting_input_t *)BOARD_PSRAM_BASE;
static const int16_t *samples; /* the next */

/* Not to be reached by an error of the engine unseen. */
static void check(int error)
{
    if (error == 0)
        return;
    counter_tell("error", (uint32_t)error);
    halt();
}

static const int16_t *next_window(const pipeline_t *pipeline)
{
    uint64_t start;
    const int16_t *window = NULL;
    while (window == NULL) {
        samples += window_push(pipeline->window, samples, pipeline->window->stride);
        window = window_next(pipeline->window, &start);
    }
    return window;
}

/* From the scaled features to the scores: what a decision costs behind the front end. */
static void classify(const pipeline_t *pipeline, const char *name)
{
    const uint32_t begin = counter_now();
    classifier_frame(pipeline->classifier, pipeline->features, pipeline->frame);
    cascade_push(pipeline->cascade, pipeline->frame);
    const int error = classifier_run(pipeline->classifier, pipeline->cascade);
    counter_tell(name, counter_now() - begin);
    check(error);
}

/* A frame that was in the cascade before comes once more. */
static void repeat_frame(const pipeline_t *pipeline)
{
    memcpy(pipeline->frame, cascade_frame(pipeline->cascade, pipeline->cascade->frames - 1),
           pipeline->cascade->frame_size);
    cascade_push(pipeline->cascade, pipeline->frame);
}

static void count_pipeline(const pipeline_t *pipeline)
{
    for (size_t i = 1; i < pipeline->cascade->frames; i++) {
        mfcc_frame(pipeline->mfcc, next_window(pipeline), pipeline->cepstra);
        scale_frame(pipeline->scale, pipeline->cepstra, pipeline->features);
        classifier_frame(pipeline->classifier, pipeline->features, pipeline->frame);
        cascade_push(pipeline->cascade, pipeline->frame);
    }

    uint32_t begin = counter_now();
    const int16_t *window = next_window(pipeline);
    counter_tell("window", counter_now() - begin);
    gate_reset(pipeline->gate);
    begin = counter_now();
    gate_step(pipeline->gate, window, pipeline->window->size);
    counter_tell("gate", counter_now() - begin);
    begin = counter_now();
    mfcc_frame(pipeline->mfcc, window, pipeline->cepstra);
    counter_tell("mfcc", counter_now() - begin);
    begin = counter_now();
    scale_frame(pipeline->scale, pipeline->cepstra, pipeline->features);
    counter_tell("scale", counter_now() - begin);
    classify(pipeline, "full");
    begin = counter_now();
    decision_step(pipeline->decision, pipeline->classifier->scores);
    counter_tell("decision", counter_now() - begin);

    mfcc_frame(pipeline->mfcc, next_window(pipeline), pipeline->cepstra);
    scale_frame(pipeline->scale, pipeline->cepstra, pipeline->features);
    classify(pipeline, "next");
    for (uint32_t missed = input->first_missed; missed <= input->last_missed; missed++) {
        for (uint32_t i = 1; i < missed; i++)
            repeat_frame(pipeline);
        classify(pipeline, "missed");
    }
}

static void count_model(const model_t *model)
{
    const uint8_t *tensor = (const uint8_t *)(samples + input->samples);
    for (uint32_t i = 0; i < input->tensors; i++, tensor += model->input_size) {
        memcpy(app.input, tensor, model->input_size);
        const uint32_t begin = counter_now();
        const int error = model->run(app.input, app.output);
        counter_tell("run", counter_now() - begin);
        check(error);
    }
}

int main(void)
{
    counter_start();
    uint32_t begin = counter_now();
    counter_tell("nothing", counter_now() - begin);
    if (memcmp(input->magic, "earcount", sizeof input->magic) != 0)
        check(1);
    samples = (const int16_t *)(input + 1);

    begin = counter_now();
    const int error = app.pipeline != NULL ? pipeline_start(app.pipeline) : app.model->start();
    counter_tell("start", counter_now() - begin);
    check(error);
    if (app.pipeline != NULL)
        count_pipeline(app.pipeline);
    else
        count_model(app.model);
    counter_tell("stack", (uint32_t)stack_used());
    counter_tell("end", 0);
    halt();
}
