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
    json_number(&json, "input", (int64_t)app.model->input_size);
    json_number(&json, "output", (int64_t)app.model->output_size);
    const pipeline_t *pipeline = app.pipeline;
    if (pipeline != NULL) {
        json_string(&json, "contract", pipeline->feature_contract);
        json_number(&json, "rate", pipeline->sample_rate);
        json_number(&json, "frames", (int64_t)pipeline->cascade->frames);
        json_list(&json, "labels");
        for (size_t i = 0; i < pipeline->decision->labels; i++)
            json_list_string(&json, pipeline->labels[i]);
        json_list_end(&json);
    }
    const uint32_t crc = port_image_crc();
    json_crc(&json, "image", crc, crc == 0 ? 0 : sizeof crc);
    json_string(&json, "reset", port_reset_cause());
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

uint32_t protocol_errors(void)
{
    return protocol_error_count;
}

void protocol_ack(uint32_t expected, uint32_t room)
{
    json_t json;
    begin(&json);
    json_number(&json, "ack", expected);
    json_number(&json, "room", room);
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
    json_number(&json, "ModelNumber", 0);
    json_number(&json, "Classification", class_index);
    json_number(&json, "SegmentStart", (int64_t)pipeline_segment_start(pipeline, step));
    json_number(&json, "SegmentLength", pipeline_segment_length(pipeline));
    json_string(&json, "Label", class_index == 0 ? "Unknown" : pipeline->labels[class_index - 1]);
    json_number(&json, "Score", step->verdict.score);
    json_number(&json, "Sequence", step->sequence);
    send(&json);
}

static void begin_stage(json_t *json, const char *stage, const step_t *step)
{
    begin(json);
    json_string(json, "stage", stage);
    json_number(json, "sequence", step->sequence);
    json_list(json, "values");
}

static void end_stage(json_t *json)
{
    json_list_end(json);
    send(json);
}

static void stage_int8(const char *stage, const step_t *step, const int8_t *values, size_t count)
{
    json_t json;
    begin_stage(&json, stage, step);
    for (size_t i = 0; i < count; i++)
        json_list_number(&json, values[i]);
    end_stage(&json);
}

void protocol_stages(const pipeline_t *pipeline, const step_t *step)
{
    const size_t cepstra = pipeline->mfcc->cepstra;
    json_t json;

    begin_stage(&json, "cepstra", step);
    for (size_t i = 0; i < cepstra; i++)
        json_list_number(&json, step->cepstra[i]);
    end_stage(&json);

    begin_stage(&json, "gate", step);
    json_list_number(&json, step->gate_open);
    end_stage(&json);

    begin_stage(&json, "features", step);
    for (size_t i = 0; i < cepstra; i++)
        json_list_number(&json, step->features[i]);
    end_stage(&json);

    stage_int8("frame", step, step->frame, cepstra);
    if (step->decided)
        stage_int8("input", step, classifier_input(pipeline->classifier, pipeline->cascade),
                   app.model->input_size);
    if (step->scores != NULL)
        stage_int8("scores", step, step->scores, app.model->output_size);
}

/* The checksum a `tensor` line with this content would have: one rule for both directions. */
static uint32_t tensor_crc(uint32_t number, const char *data, size_t length)
{
    char head[20] = "tensor ", digits[10];
    size_t used = strlen(head), count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        head[used++] = digits[--count];
    head[used++] = ' ';
    return crc32_update(crc32_update(0, head, used), data, length);
}

void protocol_tensor(const void *output, size_t size)
{
    const uint8_t *bytes = output;
    uint32_t number = 0;
    for (size_t start = 0; start < size; start += PROTOCOL_TENSOR_CHUNK) {
        const size_t count = size - start < PROTOCOL_TENSOR_CHUNK ? size - start : PROTOCOL_TENSOR_CHUNK;
        json_t json;
        begin(&json);
        json_number(&json, "tensor", number);
        json_base64(&json, "data", bytes + start, count);
        const size_t length = BASE64_LENGTH(count);
        const uint32_t crc = json.full ? 0 : tensor_crc(number, json.text + json.used - 1 - length, length);
        json_crc(&json, "crc", crc, sizeof crc);
        send(&json);
        number++;
    }
}
