/* SPDX-License-Identifier: Apache-2.0 */
#include "device/protocol.h"
#include "device/app.h"
#include "device/base64.h"
#include "device/json.h"
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

/* Eight digits, or none for size 0. */
static void json_crc(json_t *json, const char *key, uint32_t crc, size_t size)
{
    const uint8_t bytes[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    json_hex(json, key, bytes, size);
}

void protocol_boot(void)
{
    json_t json;
    begin(&json);
    json_string(&json, KEY_BOOT, app.name);
    json_string(&json, KEY_BOARD, port_board);
    json_string(&json, KEY_ENGINE, app.engine);
    const uint8_t *build = port_build_id();
    json_hex(&json, KEY_BUILD, build, build == NULL ? 0 : PROTOCOL_BUILD_ID_SIZE);
    json_string(&json, KEY_MODEL, app.model_hash);
    json_count(&json, KEY_INPUT, (uint32_t)app.model->input_size);
    json_count(&json, KEY_OUTPUT, (uint32_t)app.model->output_size);
    const pipeline_t *pipeline = app.pipeline;
    if (pipeline != NULL) {
        json_string(&json, KEY_CONTRACT, pipeline->feature_contract);
        json_count(&json, KEY_RATE, pipeline->sample_rate);
        json_count(&json, KEY_FRAMES, (uint32_t)pipeline->cascade->frames);
        json_list(&json, KEY_LABELS);
        for (size_t i = 0; i < pipeline->decision->labels; i++)
            json_list_string(&json, pipeline->labels[i]);
        json_list_end(&json);
    }
    const uint32_t crc = port_image_crc();
    json_crc(&json, KEY_IMAGE, crc, crc == 0 ? 0 : sizeof crc);
    json_string(&json, KEY_RESET, port_reset_cause());
    const uint64_t id = __builtin_bswap64(port_device_id());
    json_hex(&json, KEY_ID, (const uint8_t *)&id, id == 0 ? 0 : sizeof id);
    json_string(&json, KEY_VERSION, EARSHOT_VERSION);
    send(&json);
}

/* `words`, and after a blank the subject, where it is not NULL. */
static void error_line(const protocol_error_t *error, const char *words, const char *subject, size_t length,
                       int64_t detail, const char *reason)
{
    json_t json;
    protocol_error_count++;
    begin(&json);
    json_key(&json, KEY_ERROR);
    json_quote(&json);
    json_text(&json, words, strlen(words));
    if (subject != NULL) {
        json_text(&json, " ", 1);
        json_text(&json, subject, length < PROTOCOL_SUBJECT_MAX ? length : PROTOCOL_SUBJECT_MAX);
    }
    json_quote(&json);
    json_number(&json, KEY_DETAIL, detail);
    if (reason != NULL)
        json_string(&json, KEY_REASON, reason);
    json_count(&json, KEY_CODE, error->code);
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
    json_count(&json, KEY_ACK, expected);
    json_count(&json, KEY_ROOM, room);
    send(&json);
}

void protocol_set(const char *key, size_t length, int32_t value)
{
    json_t json;
    begin(&json);
    json_key(&json, KEY_SET);
    json_quote(&json);
    json_text(&json, key, length);
    json_quote(&json);
    json_number(&json, KEY_VALUE, value);
    send(&json);
}

void protocol_decision(const pipeline_t *pipeline, const step_t *step)
{
    const uint8_t class_index = step->verdict.class_index;
    json_t json;
    begin(&json);
    json_count(&json, KEY_DECISION_MODEL_NUMBER, 0);
    json_count(&json, KEY_DECISION_CLASSIFICATION, class_index);
    json_number(&json, KEY_DECISION_SEGMENT_START, (int64_t)pipeline_segment_start(pipeline, step));
    json_count(&json, KEY_DECISION_SEGMENT_LENGTH, pipeline_segment_length(pipeline));
    json_string(&json, KEY_DECISION_LABEL, class_index == 0 ? "Unknown" : pipeline->labels[class_index - 1]);
    json_number(&json, KEY_DECISION_SCORE, step->verdict.score);
    json_count(&json, KEY_DECISION_SEQUENCE, step->sequence);
    send(&json);
}

/* `values`: int8 where `width` is 1, int32 where it is 4, uint8 where it is 0. */
static void stage(const char *name, const step_t *step, const void *values, size_t count, int width)
{
    json_t json;
    begin(&json);
    json_string(&json, KEY_STAGE, name);
    json_count(&json, KEY_SEQUENCE, step->sequence);
    json_list(&json, KEY_VALUES);
    for (size_t i = 0; i < count; i++) {
        const int32_t value = width == 4   ? ((const int32_t *)values)[i]
                              : width == 1 ? ((const int8_t *)values)[i]
                                           : ((const uint8_t *)values)[i];
        json_list_number(&json, value);
    }
    json_list_end(&json);
    send(&json);
}

void protocol_stages(const pipeline_t *pipeline, const step_t *step)
{
    const size_t cepstra = pipeline->mfcc->cepstra;
    const uint8_t open = step->gate_open;
    stage(STAGE_NAME_CEPSTRA, step, step->cepstra, cepstra, 4);
    stage(STAGE_NAME_GATE, step, &open, 1, 0);
    stage(STAGE_NAME_FEATURES, step, step->features, cepstra, 0);
    stage(STAGE_NAME_FRAME, step, step->frame, cepstra, 1);
    if (step->decided)
        stage(STAGE_NAME_INPUT, step, classifier_input(pipeline->classifier, pipeline->cascade),
              app.model->input_size, 1);
    if (step->scores != NULL)
        stage(STAGE_NAME_SCORES, step, step->scores, app.model->output_size, 1);
}

/* The checksum a `tensor` line with this content would have: one rule for both directions. */
static uint32_t tensor_crc(uint32_t number, const char *data, size_t length)
{
    char head[20];
    json_t text = {.text = head, .size = sizeof head};
    json_text(&text, WORD_TENSOR " ", sizeof WORD_TENSOR);
    json_value(&text, number);
    json_text(&text, " ", 1);
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
        json_count(&json, KEY_TENSOR, number);
        json_base64(&json, KEY_DATA, bytes + start, count);
        const size_t length = BASE64_LENGTH(count);
        const uint32_t crc = json.full ? 0 : tensor_crc(number, json.text + json.used - 1 - length, length);
        json_crc(&json, KEY_CRC, crc, sizeof crc);
        send(&json);
        number++;
    }
}
