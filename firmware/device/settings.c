/* SPDX-License-Identifier: Apache-2.0 */
#include "device/settings.h"
#include "device/smoothing.h"
#include "device/word.h"
#include "protocol_table.h"
#include <string.h>

static settings_result_t result(bool done)
{
    return done ? SETTINGS_DONE : SETTINGS_OUT_OF_RANGE;
}

static settings_result_t set_all_thresholds(const decision_t *decision, int32_t value)
{
    bool done = true;
    for (size_t i = 0; i < decision->labels; i++)
        done = done && decision_set_threshold(decision, i, value);
    return result(done);
}

static settings_result_t set_threshold(const pipeline_t *pipeline, const char *label, size_t length,
                                       int32_t value)
{
    for (size_t i = 0; i < pipeline->decision->labels; i++)
        if (word_is(label, length, pipeline->labels[i]))
            return result(decision_set_threshold(pipeline->decision, i, value));
    return SETTINGS_NO_SUCH_KEY;
}

settings_result_t settings_set(const pipeline_t *pipeline, const char *key, size_t length, int32_t value)
{
    static const struct {
        const char *key;
        bool (*set)(const gate_t *gate, int32_t value);
    } of_gate[] = {
        {KEY_GATE_THRESHOLD, gate_set_threshold},
        {KEY_GATE_BACKOFF, gate_set_backoff},
        {KEY_GATE_DELAY, gate_set_delay},
    };
    const size_t prefix = strlen(KEY_DECISION_THRESHOLD ".");
    for (size_t i = 0; i < sizeof of_gate / sizeof of_gate[0]; i++)
        if (word_is(key, length, of_gate[i].key))
            return result(of_gate[i].set(pipeline->gate, value));
    if (word_is(key, length, KEY_DECISION_VOTES))
        return result(decision_set_votes(pipeline->decision, value));
    if (word_is(key, length, KEY_DECISION_THRESHOLD))
        return set_all_thresholds(pipeline->decision, value);
    if (length > prefix && memcmp(key, KEY_DECISION_THRESHOLD ".", prefix) == 0)
        return set_threshold(pipeline, key + prefix, length - prefix, value);
    return smoothing_set(pipeline->decision, key, length, value);
}

void settings_write(const pipeline_t *pipeline, json_t *json)
{
    const gate_settings_t *gate = &pipeline->gate->state->settings;
    json_print(json,
               ",\"" KEY_GATE_THRESHOLD "\":%d,\"" KEY_GATE_BACKOFF "\":%d,\"" KEY_GATE_DELAY
               "\":%d,\"" KEY_DECISION_VOTES "\":%d",
               (int32_t)gate->threshold, (int32_t)gate->backoff, (int32_t)gate->delay,
               (int32_t)pipeline->decision->state->votes);
    smoothing_write(pipeline->decision, "", "", json);
    for (size_t i = 0; i < pipeline->decision->labels; i++)
        json_print(json, ",\"" KEY_DECISION_THRESHOLD ".%s\":%d", pipeline->labels[i],
                   (int32_t)pipeline->decision->limits[i]);
}
