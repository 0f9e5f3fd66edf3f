/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_SMOOTHING_H
#define DEVICE_SMOOTHING_H

#include "device/settings.h"

/* Settings of decisions that are smoothed: decision.mean and decision.suppress. smoothed/ is linked where
 * pipeline.toml asks for a mean or for quiet, unsmoothed/ elsewhere: there no such keys are. */

settings_result_t smoothing_set(const decision_t *decision, const char *key, size_t length, int32_t value);

/* Both as members of an object, after others; of several models with `name` and `dot` before the key, else ""
 * and "". Nothing of a decision that is not smoothed. */
void smoothing_write(const decision_t *decision, const char *name, const char *dot, json_t *json);

#endif
