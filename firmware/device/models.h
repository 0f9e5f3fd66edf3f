/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_MODELS_H
#define DEVICE_MODELS_H

#include "device/json.h"
#include "device/settings.h"
#include "pipeline/pipeline.h"

/* The models of an image with a pipeline. one_model/ is linked where there is one, several_models/ where
 * there are more, which hear the same windows and run one after the other. */

/* 0, or the engine's error. */
int models_start(void);

/* Everything empty; live settings stay. */
void models_reset(void);

/* After the first model's step: what the others make of the window, their lines out. */
void models_step(const step_t *step);

/* Number of the model whose lines go out, from 0. */
uint32_t models_number(void);

/* A stage line's member that tells the model, where there are several. */
void models_stage(json_t *json);

settings_result_t models_set(const char *key, size_t length, int32_t value);

/* Members of the status line: all settings. */
void models_settings(json_t *json);

/* After the boot line: a line a model, where there are several. */
void models_boot(void);

#endif
