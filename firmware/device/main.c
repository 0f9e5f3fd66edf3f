/* SPDX-License-Identifier: Apache-2.0 */
#include "device/app.h"
#include "device/capture.h"
#include "device/command.h"
#include "device/cycles.h"
#include "device/idle.h"
#include "device/listen.h"
#include "device/models.h"
#include "device/output.h"
#include "device/protocol.h"
#include "device/reader.h"
#include "device/replay.h"
#include "device/status.h"
#include "device/tensor.h"
#include "port/port.h"

#define BLOCK 64 /* bytes taken from the serial line at once */

static reader_t reader;
static int start_error; /* of the engine; nothing runs the model then */
static bool host;       /* somebody has sent a line */

static void boot_lines(void)
{
    protocol_boot();
    models_boot();
}

static void set(const command_t *command)
{
    const settings_result_t result = models_set(command->key, command->key_length, command->value);
    if (result == SETTINGS_DONE)
        protocol_set(command->key, command->key_length, command->value);
    else
        protocol_error_about(result == SETTINGS_NO_SUCH_KEY ? &error_set_key : &error_set_range, command->key,
                             command->key_length, command->value);
}

static void live(void)
{
    if (listen_live())
        status_line();
    else
        protocol_error(&error_live, (int32_t)app.pipeline->sample_rate);
}

static void reset(void)
{
    app.model->reset();
    if (app.pipeline != NULL)
        models_reset();
    tensor_reset();
    status_line();
}

/* What every image understands; false: a word that only a pipeline gives a meaning. */
static bool obey_any(const command_t *command)
{
    switch (command->kind) {
    case COMMAND_NONE:
        return true;
    case COMMAND_BOOT:
        boot_lines();
        return true;
    case COMMAND_STATUS:
        status_line();
        return true;
    case COMMAND_UNKNOWN:
        protocol_error_about(&error_unknown, command->key, command->key_length, 0);
        return true;
    case COMMAND_USAGE:
        protocol_error_because(&error_usage, 0, command->usage);
        return true;
    default:
        return false;
    }
}

static void obey_pipeline(const command_t *command)
{
    switch (command->kind) {
    case COMMAND_SET:
        set(command);
        break;
    case COMMAND_STAGES:
        listen_set_stages(command->value != 0);
        status_line();
        break;
    case COMMAND_CYCLES:
        cycles_line();
        break;
    case COMMAND_LIVE:
        live();
        break;
    case COMMAND_REPLAY:
        replay_start();
        break;
    case COMMAND_AUDIO:
        replay_audio(command);
        break;
    default:
        break;
    }
}

static void obey(const command_t *command)
{
    if (obey_any(command))
        return;
    if (start_error != 0)
        protocol_error(&error_model_start, start_error);
    else if (command->kind == COMMAND_RESET)
        reset();
    else if (command->kind == COMMAND_TENSOR)
        tensor_input(command);
    else if (app.pipeline == NULL)
        protocol_error(&error_no_pipeline, 0);
    else
        obey_pipeline(command);
}

/* Takes what came over the serial line; true when there was something. */
static bool read_lines(void)
{
    uint8_t bytes[BLOCK];
    const size_t count = port_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        const reader_event_t event = reader_take(&reader, bytes[i]);
        if (event == READER_LINE) {
            if (!capture_obey(reader.text, reader.used)) {
                command_t command;
                command_parse(reader.text, reader.used, &command);
                obey(&command);
            }
            host = true;
            listen_host();
        } else if (event == READER_TOO_LONG) {
            protocol_error(&error_line_too_long, PROTOCOL_LINE_MAX);
        }
    }
    return count > 0;
}

int main(void)
{
    port_start();
    idle_start();
    output_set_blocking(true);
    start_error = app.pipeline != NULL ? models_start() : app.model->start();
    boot_lines();
    if (start_error != 0)
        protocol_error(&error_model_start, start_error);
    else if (app.pipeline != NULL)
        listen_live();
    for (;;) {
        watchdog_feed();
        const bool heard = listen_poll();
        if (!read_lines() && !heard && !(host && port_tell_fault()))
            idle_sleep();
    }
}
