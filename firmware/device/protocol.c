#include "device/protocol.h"
#include "device/app.h"
#include "device/base64.h"
#include "device/json.h"
#include "device/output.h"
#include "port/crc32.h"
#include "port/port.h"
#include <string.h>

#define BUILD_ID_SIZE 20

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
    json_string(&json, "boot", app.name);
    json_string(&json, "board", port_board);
    json_string(&json, "engine", app.engine);
    const uint8_t *build = port_build_id();
    json_hex(&json, "build", build, build == NULL ? 0 : BUILD_ID_SIZE);
    json_string(&json, "model", app.model_hash);
    json_count(&json, "input", (uint32_t)app.model->input_size);
    json_count(&json, "output", (uint32_t)app.model->output_size);
    const pipeline_t *pipeline = app.pipeline;
    if (pipeline != NULL) {
        json_string(&json, "contract", pipeline->feature_contract);
        json_count(&json, "rate", pipeline->sample_rate);
        json_count(&json, "frames", (uint32_t)pipeline->cascade->frames);
        json_list(&json, "labels");
        for (size_t i = 0; i < pipeline->decision->labels; i++)
            json_list_string(&json, pipeline->labels[i]);
        json_list_end(&json);
    }
    const uint32_t crc = port_image_crc();
    json_crc(&json, "image", crc, crc == 0 ? 0 : sizeof crc);
    json_string(&json, "reset", port_reset_cause());
    const uint64_t id = __builtin_bswap64(port_device_id());
    json_hex(&json, "id", (const uint8_t *)&id, id == 0 ? 0 : sizeof id);
    send(&json);
}

void protocol_error(const char *what, const char *subject, size_t length, int64_t detail, const char *reason)
{
    json_t json;
    protocol_error_count++;
    begin(&json);
    json_key(&json, "error");
    json_quote(&json);
    json_text(&json, what, strlen(what));
    if (subject != NULL) {
        json_text(&json, " ", 1);
        json_text(&json, subject, length < PROTOCOL_SUBJECT_MAX ? length : PROTOCOL_SUBJECT_MAX);
    }
    json_quote(&json);
    json_number(&json, "detail", detail);
    if (reason != NULL)
        json_string(&json, "reason", reason);
    send(&json);
}

void protocol_fault(const char *what, int32_t detail, const char *reason)
{
    protocol_error(what, NULL, 0, detail, reason);
}

uint32_t protocol_errors(void)
{
    return protocol_error_count;
}

void protocol_ack(uint32_t expected, uint32_t room)
{
    json_t json;
    begin(&json);
    json_count(&json, "ack", expected);
    json_count(&json, "room", room);
    send(&json);
}

void protocol_set(const char *key, size_t length, int32_t value)
{
    json_t json;
    begin(&json);
    json_key(&json, "set");
    json_quote(&json);
    json_text(&json, key, length);
    json_quote(&json);
    json_number(&json, "value", value);
    send(&json);
}

void protocol_decision(const pipeline_t *pipeline, const step_t *step)
{
    const uint8_t class_index = step->verdict.class_index;
    json_t json;
    begin(&json);
    json_count(&json, "ModelNumber", 0);
    json_count(&json, "Classification", class_index);
    json_number(&json, "SegmentStart", (int64_t)pipeline_segment_start(pipeline, step));
    json_count(&json, "SegmentLength", pipeline_segment_length(pipeline));
    json_string(&json, "Label", class_index == 0 ? "Unknown" : pipeline->labels[class_index - 1]);
    json_number(&json, "Score", step->verdict.score);
    json_count(&json, "Sequence", step->sequence);
    send(&json);
}

/* `values`: int8 where `width` is 1, int32 where it is 4, uint8 where it is 0. */
static void stage(const char *name, const step_t *step, const void *values, size_t count, int width)
{
    json_t json;
    begin(&json);
    json_string(&json, "stage", name);
    json_count(&json, "sequence", step->sequence);
    json_list(&json, "values");
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
    stage("cepstra", step, step->cepstra, cepstra, 4);
    stage("gate", step, &open, 1, 0);
    stage("features", step, step->features, cepstra, 0);
    stage("frame", step, step->frame, cepstra, 1);
    if (step->decided)
        stage("input", step, classifier_input(pipeline->classifier, pipeline->cascade), app.model->input_size,
              1);
    if (step->scores != NULL)
        stage("scores", step, step->scores, app.model->output_size, 1);
}

/* The checksum a `tensor` line with this content would have: one rule for both directions. */
static uint32_t tensor_crc(uint32_t number, const char *data, size_t length)
{
    char head[20];
    json_t text = {.text = head, .size = sizeof head};
    json_text(&text, "tensor ", 7);
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
        json_count(&json, "tensor", number);
        json_base64(&json, "data", bytes + start, count);
        const size_t length = BASE64_LENGTH(count);
        const uint32_t crc = json.full ? 0 : tensor_crc(number, json.text + json.used - 1 - length, length);
        json_crc(&json, "crc", crc, sizeof crc);
        send(&json);
        number++;
    }
}
