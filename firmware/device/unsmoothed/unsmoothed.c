/* SPDX-License-Identifier: Apache-2.0 */
#include "device/smoothing.h"

settings_result_t smoothing_set(const decision_t *decision, const char *key, size_t length, int32_t value)
{
    (void)decision;
    (void)key;
    (void)length;
    (void)value;
    return SETTINGS_NO_SUCH_KEY;
}

void smoothing_write(const decision_t *decision, const char *name, const char *dot, json_t *json)
{
    (void)decision;
    (void)name;
    (void)dot;
    (void)json;
}
