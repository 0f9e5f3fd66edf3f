/* SPDX-License-Identifier: Apache-2.0 */
#include "device/smoothing.h"
#include "device/word.h"
#include "pipeline/decision_smoothing.h"
#include "protocol_table.h"

settings_result_t smoothing_set(const decision_t *decision, const char *key, size_t length, int32_t value)
{
    if (decision->smoothing == NULL)
        return SETTINGS_NO_SUCH_KEY;
    bool done;
    if (word_is(key, length, KEY_DECISION_MEAN))
        done = smoothing_set_mean(decision, value);
    else if (word_is(key, length, KEY_DECISION_SUPPRESS))
        done = smoothing_set_suppress(decision, value);
    else
        return SETTINGS_NO_SUCH_KEY;
    return done ? SETTINGS_DONE : SETTINGS_OUT_OF_RANGE;
}

void smoothing_write(const decision_t *decision, const char *name, const char *dot, json_t *json)
{
    const smoothing_t *smoothing = decision->smoothing;
    if (smoothing == NULL)
        return;
    const smoothing_values_t now = *smoothing->values;
    json_print(json, ",\"%s%s" KEY_DECISION_MEAN "\":%d,\"%s%s" KEY_DECISION_SUPPRESS "\":%d", name, dot,
               (int32_t)now.mean, name, dot, (int32_t)now.suppress);
}
