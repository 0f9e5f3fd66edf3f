/* SPDX-License-Identifier: Apache-2.0 */
#include "device/app.h"
#include "device/models.h"

int models_start(void)
{
    return pipeline_start(app.pipeline);
}

void models_reset(void)
{
    pipeline_reset(app.pipeline);
}

void models_step(const step_t *step)
{
    (void)step;
}

uint32_t models_number(void)
{
    return 0;
}

void models_stage(json_t *json)
{
    (void)json;
}

settings_result_t models_set(const char *key, size_t length, int32_t value)
{
    return settings_set(app.pipeline, key, length, value);
}

void models_settings(json_t *json)
{
    settings_write(app.pipeline, json);
}

void models_boot(void)
{
}
