/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs incremental models of one test. From stdin, for each model, a script of letters, each with what it
 * needs: 'r' + input: run; 'a' + frame: advance; 'f': finish; 'z': reset; 'p' + number: poison that kept
 * memory; '.': the next model. To stdout: the output of every r and f.
 */
#include "models.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(3);
}

static void *read_block(size_t size)
{
    void *bytes = malloc(size); /* of the exact size, so that a sanitizer sees one byte too far */
    if (bytes == NULL || fread(bytes, 1, size, stdin) != size) {
        stop("input ends early");
    }
    return bytes;
}

/* Bits of every value change, not its sign, so that it stays one that a tensor may have. */
static void poison(const kept_t *kept)
{
    for (size_t i = 0; i < kept->size; i += kept->width) {
        kept->bytes[i] ^= 0x5A;
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const model_t *model = models[i].model;
        uint8_t *output = malloc(model->output_size);
        if (output == NULL || model->start() != 0) {
            stop("start failed");
        }
        for (int letter = getchar(); letter != '.'; letter = getchar()) {
            memset(output, 0xA5, model->output_size);
            memset(models[i].arena, 0x5A, models[i].arena_size); /* nothing lasts in it */
            if (letter == 'r') {
                void *input = read_block(model->input_size);
                if (model->run(input, output) != 0) {
                    stop("run failed");
                }
                free(input);
            } else if (letter == 'a') {
                void *frame = read_block(models[i].frame_size);
                model->advance(frame);
                free(frame);
                continue;
            } else if (letter == 'z') {
                model->reset();
                continue;
            } else if (letter == 'p') {
                poison(&models[i].kept[getchar()]);
                continue;
            } else if (letter == 'f') {
                model->finish(output);
            } else {
                stop("an unknown letter");
            }
            fwrite(output, 1, model->output_size, stdout);
        }
        free(output);
    }
    fflush(stdout);
    return 0;
}
