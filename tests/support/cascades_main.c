/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs incremental models after the pipeline's own cascade and classifier. From stdin, for each model, a
 * script of letters: 'n' + frame: a new frame; 'd': decide; 'z': reset; '.': the next model. To stdout, for
 * every d: the scores, then the ticks it took, 32 bits (0 on the PC).
 */
#include "models.h"
#include "pipeline/classifier.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__arm__) /* a timer of the virtual board, counted down by the emulator's clock */
#define TICKS() (~*(volatile uint32_t *)0x40000004u)
static void start_ticks(void)
{
    *(volatile uint32_t *)0x40000008u = UINT32_MAX;
    *(volatile uint32_t *)0x40000000u = 1;
}
#else
#define TICKS() 0u
static void start_ticks(void)
{
}
#endif

static void stop(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(3);
}

static void *block(size_t size)
{
    void *bytes = calloc(1, size); /* of the exact size, so that a sanitizer sees one byte too far */
    if (bytes == NULL) {
        stop("out of memory");
    }
    return bytes;
}

int main(void)
{
    start_ticks();
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const model_t *model = models[i].model;
        const size_t frames = models[i].frames, frame_size = models[i].frame_size;
        cascade_state_t cascade_state;
        classifier_state_t classifier_state;
        const cascade_t cascade = {.frames = frames,
                                   .frame_size = frame_size,
                                   .slide = true,
                                   .every = (uint32_t)models[i].every,
                                   .ring = block(frames * frame_size),
                                   .state = &cascade_state};
        const classifier_t classifier = {.model = model,
                                         .frames = frames,
                                         .frame_size = frame_size,
                                         .transpose = models[i].transposed,
                                         .input = block(frames * frame_size),
                                         .scores = block(model->output_size),
                                         .state = &classifier_state};
        int8_t *frame = block(frame_size);
        if (model->start() != 0) {
            stop("start failed");
        }
        cascade_reset(&cascade);
        classifier_reset(&classifier);
        for (int letter = getchar(); letter != '.'; letter = getchar()) {
            memset(models[i].arena, 0x5A, models[i].arena_size); /* nothing lasts in it */
            if (letter == 'n') {
                if (fread(frame, 1, frame_size, stdin) != frame_size) {
                    stop("input ends early");
                }
                cascade_push(&cascade, frame);
            } else if (letter == 'z') {
                cascade_reset(&cascade);
                classifier_reset(&classifier);
            } else if (letter == 'd' && cascade_ready(&cascade)) {
                const uint32_t begin = TICKS();
                const int error = classifier_run(&classifier, &cascade);
                const uint32_t ticks = TICKS() - begin;
                if (error != 0) {
                    stop("run failed");
                }
                fwrite(classifier.scores, 1, model->output_size, stdout);
                fwrite(&ticks, 1, sizeof ticks, stdout);
            } else {
                stop("an unknown letter, or a decision before the cascade is full");
            }
        }
        free(frame);
        free(cascade.ring);
        free(classifier.input);
        free(classifier.scores);
    }
    fflush(stdout);
    return 0;
}
