/* SPDX-License-Identifier: Apache-2.0 */
/* Runs models of one test: for each, rows of input from stdin, rows of output to stdout. See models_c.py. */
#include "models.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(3);
}

static void read_bytes(void *bytes, size_t size)
{
    if (fread(bytes, 1, size, stdin) != size) {
        stop("input ends early");
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const model_t *model = models[i].model;
        uint32_t rows, sequence;
        read_bytes(&rows, sizeof rows);
        read_bytes(&sequence, sizeof sequence);
        if (model->start() != 0) {
            stop("start failed");
        }
        for (uint32_t row = 0; row < rows; row++) {
            /* blocks of the exact size, so that a sanitizer sees one byte too far; int8 may lie at any
             * address */
            size_t shift = models[i].any_address ? 1 : 0;
            uint8_t *input = malloc(model->input_size + shift), *output = malloc(model->output_size + shift);
            if (input == NULL || output == NULL) {
                stop("no memory");
            }
            read_bytes(input + shift, model->input_size);
            memset(output, 0xA5, model->output_size + shift);
            memset(models[i].arena, 0x5A, models[i].arena_size);
            if (!sequence) {
                model->reset();
            }
            if (model->run(input + shift, output + shift) != 0) {
                stop("run failed");
            }
            fwrite(output + shift, 1, model->output_size, stdout);
            free(input);
            free(output);
        }
    }
    fflush(stdout);
    return 0;
}
