/* SPDX-License-Identifier: Apache-2.0 */
/* The file SAMPLES through app_pipeline; a line a window on stdout: what every stage made of it. */
#include "app.h"
#include <stdio.h>

int main(void)
{
    const pipeline_t *pipeline = &app_pipeline;
    int16_t samples[97]; /* no divisor of a window: portions end anywhere */
    FILE *file = fopen(SAMPLES, "rb");
    if (file == NULL || pipeline_start(pipeline) != 0)
        return 1;
    for (size_t count; (count = fread(samples, sizeof samples[0], 97, file)) != 0;) {
        for (size_t taken = 0; taken < count;) {
            taken += pipeline_push(pipeline, samples + taken, count - taken);
            step_t step;
            while (pipeline_step(pipeline, &step)) {
                printf("%u %d %d %u %d", (unsigned)step.sequence, step.gate_open, step.decided,
                       (unsigned)step.verdict.class_index, step.verdict.score);
                for (size_t i = 0; i < pipeline->front_end->size; i++)
                    printf(" %d", (int)step.values[i]);
                printf("\n");
            }
        }
    }
    fclose(file);
    return 0;
}
