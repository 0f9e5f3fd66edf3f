/* SPDX-License-Identifier: Apache-2.0 */
#include "device/app.h"
#include "device/listen.h"
#include "device/models.h"
#include "device/output.h"
#include "device/protocol.h"
#include "device/several_models/members.h"
#include "device/smoothing.h"
#include "device/word.h"
#include <string.h>

#define OF_DECISION "decision."

static uint32_t now; /* number of the model whose step it is */

int models_start(void)
{
    for (size_t i = 0; i < app_members.count; i++) {
        const int error = pipeline_start(app_members.member[i].pipeline);
        if (error != 0)
            return error;
    }
    models_reset();
    return 0;
}

/* Window, gate and front end are the same ones for all: emptied more than once, which changes nothing. */
void models_reset(void)
{
    for (size_t i = 0; i < app_members.count; i++) {
        pipeline_reset(app_members.member[i].pipeline);
        member_reset(&app_members.member[i]);
    }
}

void models_step(const step_t *step)
{
    member_stepped(&app_members.member[0], step);
    for (size_t i = 1; i < app_members.count; i++) {
        const member_t *member = &app_members.member[i];
        step_t own;
        pipeline_measured(member->pipeline, STAGE_WINDOW); /* lines went out meanwhile */
        member_step(member, step, &own);
        now = (uint32_t)i;
        listen_tell(member->pipeline, &own);
    }
    now = 0;
}

uint32_t models_number(void)
{
    return now;
}

void models_stage(json_t *json)
{
    json_print(json, ",\"" KEY_DECISION_MODEL_NUMBER "\":%u", now);
}

/* Of "NAME.KEY" what lies behind the name; NULL: it is none of this model. */
static const char *own_key(const member_t *member, const char *key, size_t length)
{
    const size_t name = strlen(member->name);
    const bool own = length > name && memcmp(key, member->name, name) == 0 && key[name] == '.';
    return own ? key + name + 1 : NULL;
}

/* A threshold that every model can have: what one refuses changes none. */
static bool suits_all(int32_t value)
{
    for (size_t i = 0; i < app_members.count; i++) {
        const int32_t never = app_members.member[i].pipeline->decision->never;
        if (value < -never || value > never)
            return false;
    }
    return true;
}

static bool begins(const char *key, size_t length, const char *with)
{
    return length >= strlen(with) && memcmp(key, with, strlen(with)) == 0;
}

settings_result_t models_set(const char *key, size_t length, int32_t value)
{
    for (size_t i = 0; i < app_members.count; i++) {
        const char *own = own_key(&app_members.member[i], key, length);
        if (own == NULL)
            continue;
        const size_t left = length - (size_t)(own - key);
        if (!begins(own, left, OF_DECISION)) /* the gate is no model's own */
            return SETTINGS_NO_SUCH_KEY;
        return settings_set(app_members.member[i].pipeline, own, left, value);
    }
    if (word_is(key, length, KEY_DECISION_THRESHOLD) && !suits_all(value))
        return SETTINGS_OUT_OF_RANGE;
    settings_result_t result = SETTINGS_NO_SUCH_KEY; /* without a name: of every model that has such a key */
    for (size_t i = 0; i < app_members.count; i++) {
        const settings_result_t one = settings_set(app_members.member[i].pipeline, key, length, value);
        if (result != SETTINGS_OUT_OF_RANGE && one != SETTINGS_NO_SUCH_KEY)
            result = one;
    }
    return result;
}

void models_settings(json_t *json)
{
    const gate_settings_t *gate = &app.pipeline->gate->state->settings;
    json_print(json, ",\"" KEY_GATE_THRESHOLD "\":%d,\"" KEY_GATE_BACKOFF "\":%d,\"" KEY_GATE_DELAY "\":%d",
               (int32_t)gate->threshold, (int32_t)gate->backoff, (int32_t)gate->delay);
    for (size_t i = 0; i < app_members.count; i++) {
        const member_t *member = &app_members.member[i];
        const decision_t *decision = member->pipeline->decision;
        json_print(json, ",\"%s." KEY_DECISION_VOTES "\":%d", member->name, (int32_t)decision->state->votes);
        smoothing_write(decision, member->name, ".", json);
        for (size_t label = 0; label < decision->labels; label++)
            json_print(json, ",\"%s." KEY_DECISION_THRESHOLD ".%s\":%d", member->name,
                       member->pipeline->labels[label], (int32_t)decision->limits[label]);
    }
}

void models_boot(void)
{
    for (size_t i = 0; i < app_members.count; i++) {
        const member_t *member = &app_members.member[i];
        const pipeline_t *pipeline = member->pipeline;
        json_t json;
        json_begin(&json, app.line, app.line_size);
        json_print(&json,
                   "\"" KEY_CLASSIFIER "\":%u,\"" KEY_NAME "\":\"%s\",\"" KEY_MODEL
                   "\":\"%s\",\"" KEY_CONTRACT "\":\"%s\",\"" KEY_FRAMES "\":%u",
                   (uint32_t)i, member->name, member->model_hash, pipeline->feature_contract,
                   (uint32_t)pipeline->cascade->frames);
        json_list(&json, KEY_LABELS);
        for (size_t label = 0; label < pipeline->decision->labels; label++)
            json_list_string(&json, pipeline->labels[label]);
        json_list_end(&json);
        if (member->waits_for != NULL)
            json_print(&json, ",\"" KEY_WAITS_FOR "\":\"%s\",\"" KEY_STAYS "\":%u", member->opener,
                       member->stays);
        output_line(app.line, json_end(&json));
    }
}
