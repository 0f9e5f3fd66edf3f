/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_SETTINGS_H
#define DEVICE_SETTINGS_H

#include "device/json.h"
#include "pipeline/pipeline.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may change while the device runs, by name: gate.threshold, gate.backoff, gate.delay, decision.votes,
 * decision.threshold (of every label), decision.threshold.LABEL, and those of smoothing.h. */

typedef enum { SETTINGS_DONE, SETTINGS_NO_SUCH_KEY, SETTINGS_OUT_OF_RANGE } settings_result_t;

/* `key` has `length` characters. What is out of range changes nothing. */
settings_result_t settings_set(const pipeline_t *pipeline, const char *key, size_t length, int32_t value);

/* All of them as members of an object, after others. */
void settings_write(const pipeline_t *pipeline, json_t *json);

#endif
