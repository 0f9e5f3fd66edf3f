/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_APP_H
#define DEVICE_APP_H

#include "nn/model.h"
#include "pipeline/pipeline.h"

/* What the generator hands to the device: one app an image. */
typedef struct {
    const char *name;
    const char *engine;     /* "aot" or "tflm" */
    const char *model_hash; /* first 16 hex digits of the .tflite's SHA-256 */
    const model_t *model;
    const pipeline_t *pipeline; /* NULL: a bare model, reached by `tensor` lines only */
    void *input;                /* model->input_size bytes for `tensor` lines, aligned to 8 */
    void *output;               /* model->output_size bytes, aligned to 8 */
    char *line;                 /* the longest line this app can print fits */
    size_t line_size;
} app_t;

extern const app_t app;

#endif
