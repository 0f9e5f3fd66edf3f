/* SPDX-License-Identifier: Apache-2.0 */
#include "device/protocol.h"
#include "device/app.h"
#include "device/base64.h"
#include "device/json.h"
#include "device/models.h"
#include "device/output.h"
#include "port/crc32.h"
#include "port/port.h"
#include <string.h>

static uint32_t protocol_error_count;

static void begin(json_t *json)
{
    json_begin(json, app.line, app.line_size);
}

static void send(json_t *json)
{
    output_line(app.line, json_end(json));
}

void protocol_boot(void)
{
    json_t json;
    begin(&json);
    const uint8_t *build = port_build_id();
    json_print(&json,
               "\"" KEY_BOOT "\":\"%s\",\"" KEY_BOARD "\":\"%s\",\"" KEY_ENGINE "\":\"%s\",\"" KEY_BUILD
               "\":\"%x\",\"" KEY_MODEL "\":\"%s\",\"" KEY_INPUT "\":%u,\"" KEY_OUTPUT "\":%u",
               app.name, port_board, app.engine, build, build == NULL ? (size_t)0 : PROTOCOL_BUILD_ID_SIZE,
               app.model_hash, (uint32_t)app.model->input_size, (uint32_t)app.model->output_size);
    const pipeline_t *pipeline = app.pipeline;
    if (pipeline != NULL) {
        json_print(&json, ",\"" KEY_CONTRACT "\":\"%s\",\"" KEY_RATE "\":%u,\"" KEY_FRAMES "\":%u",
                   pipeline->feature_contract, pipeline->sample_rate, (uint32_t)pipeline->cascade->frames);
        json_list(&json, KEY_LABELS);
        for (size_t i = 0; i < pipeline->decision->labels; i++)
            json_list_string(&json, pipeline->labels[i]);
        json_list_end(&json);
    }
    const uint32_t crc = __builtin_bswap32(port_image_crc());
    const uint64_t id = __builtin_bswap64(port_device_id());
    json_print(&json,
               ",\"" KEY_IMAGE "\":\"%x\",\"" KEY_RESET "\":\"%s\",\"" KEY_ID "\":\"%x\",\"" KEY_VERSION
               "\":\"" EARSHOT_VERSION "\"",
               &crc, crc == 0 ? (size_t)0 : sizeof crc, port_reset_cause(), &id,
               id == 0 ? (size_t)0 : sizeof id);
    send(&json);
}

/* `words`, and after a blank the subject, where it is not NULL. */
static void error_line(const protocol_error_t *error, const char *words, const char *subject, size_t length,
                       int64_t detail, const char *reason)
{
    json_t json;
    protocol_error_count++;
    begin(&json);
    json_print(&json, "\"" KEY_ERROR "\":\"%s", words);
    if (subject != NULL)
        json_print(&json, " %t", subject, length < PROTOCOL_SUBJECT_MAX ? length : PROTOCOL_SUBJECT_MAX);
    json_print(&json, "\",\"" KEY_DETAIL "\":%l", detail);
    if (reason != NULL)
        json_print(&json, ",\"" KEY_REASON "\":\"%s\"", reason);
    json_print(&json, ",\"" KEY_CODE "\":%u", (uint32_t)error->code);
    send(&json);
}

static const char *reason(const protocol_error_t *error)
{
    return error->reason == 0 ? NULL : error->words + error->reason;
}

void protocol_error(const protocol_error_t *error, int32_t detail)
{
    protocol_error_about(error, NULL, 0, detail);
}

void protocol_error_because(const protocol_error_t *error, int32_t detail, const char *reason)
{
    error_line(error, error->words, NULL, 0, detail, reason);
}

void protocol_error_about(const protocol_error_t *error, const char *subject, size_t length, int32_t detail)
{
    error_line(error, error->words, subject, length, detail, reason(error));
}

void protocol_error_of(const char *word, const protocol_error_t *error, uint32_t detail)
{
    error_line(error, word, error->words, strlen(error->words), detail, NULL);
}

uint32_t protocol_errors(void)
{
    return protocol_error_count;
}

void protocol_ack(uint32_t expected, uint32_t room)
{
    json_t json;
    begin(&json);
    json_print(&json, "\"" KEY_ACK "\":%u,\"" KEY_ROOM "\":%u", expected, room);
    send(&json);
}

void protocol_set(const char *key, size_t length, int32_t value)
{
    json_t json;
    begin(&json);
    json_print(&json, "\"" KEY_SET "\":\"%t\",\"" KEY_VALUE "\":%d", key, length, value);
    send(&json);
}

void protocol_decision(const pipeline_t *pipeline, const step_t *step)
{
    const uint8_t class_index = step->verdict.class_index;
    json_t json;
    begin(&json);
    json_print(&json,
               "\"" KEY_DECISION_MODEL_NUMBER "\":%u,\"" KEY_DECISION_CLASSIFICATION
               "\":%u,\"" KEY_DECISION_SEGMENT_START "\":%l,\"" KEY_DECISION_SEGMENT_LENGTH
               "\":%u,\"" KEY_DECISION_LABEL "\":\"%s\",\"" KEY_DECISION_SCORE
               "\":%d,\"" KEY_DECISION_SEQUENCE "\":%u",
               models_number(), (uint32_t)class_index, (int64_t)pipeline_segment_start(pipeline, step),
               pipeline_segment_length(pipeline),
               class_index == 0 ? "Unknown" : pipeline->labels[class_index - 1], (int32_t)step->verdict.score,
               step->sequence);
    send(&json);
}

/* `values`: int8 where `width` is 1, int32 where it is 4, uint8 where it is 0. */
static void stage(const char *name, const step_t *step, const void *values, size_t count, int width)
{
    json_t json;
    begin(&json);
    json_print(&json, "\"" KEY_STAGE "\":\"%s\",\"" KEY_SEQUENCE "\":%u", name, step->sequence);
    json_list(&json, KEY_VALUES);
    for (size_t i = 0; i < count; i++) {
        const int32_t value = width == 4   ? ((const int32_t *)values)[i]
                              : width == 1 ? ((const int8_t *)values)[i]
                                           : ((const uint8_t *)values)[i];
        json_list_number(&json, value);
    }
    json_list_end(&json);
    models_stage(&json);
    send(&json);
}

void protocol_stages(const pipeline_t *pipeline, const step_t *step)
{
    const size_t size = pipeline->front_end->size;
    const model_t *model = pipeline->classifier->model;
    const uint8_t open = step->gate_open;
    const bool first = models_number() == 0; /* the others hear what this one heard */
    if (first)
        stage(STAGE_NAME_CEPSTRA, step, step->values, size, 4);
    stage(STAGE_NAME_GATE, step, &open, 1, 0);
    if (first)
        stage(STAGE_NAME_FEATURES, step, step->features, size, 0);
    stage(STAGE_NAME_FRAME, step, step->frame, size, 1);
    if (step->decided)
        stage(STAGE_NAME_INPUT, step, classifier_input(pipeline->classifier, pipeline->cascade),
              model->input_size, 1);
    if (step->scores != NULL)
        stage(STAGE_NAME_SCORES, step, step->scores, model->output_size, 1);
}

/* The checksum a `tensor` line with this content would have: one rule for both directions. */
static uint32_t tensor_crc(uint32_t number, const char *data, size_t length)
{
    char head[20];
    json_t text = {.text = head, .size = sizeof head};
    json_print(&text, WORD_TENSOR " %u ", number);
    return crc32_update(crc32_update(0, head, text.used), data, length);
}

void protocol_tensor(const void *output, size_t size)
{
    const uint8_t *bytes = output;
    uint32_t number = 0;
    for (size_t start = 0; start < size; start += PROTOCOL_TENSOR_CHUNK) {
        const size_t count = size - start < PROTOCOL_TENSOR_CHUNK ? size - start : PROTOCOL_TENSOR_CHUNK;
        json_t json;
        begin(&json);
        json_print(&json, "\"" KEY_TENSOR "\":%u", number);
        json_base64(&json, KEY_DATA, bytes + start, count);
        const size_t length = BASE64_LENGTH(count);
        const uint32_t crc =
            __builtin_bswap32(json.full ? 0 : tensor_crc(number, json.text + json.used - 1 - length, length));
        json_print(&json, ",\"" KEY_CRC "\":\"%x\"", &crc, sizeof crc);
        send(&json);
        number++;
    }
}
