/* SPDX-License-Identifier: Apache-2.0 */
#include "device/status.h"
#include "device/app.h"
#include "device/capture.h"
#include "device/idle.h"
#include "device/json.h"
#include "device/listen.h"
#include "device/models.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"

static const char *flag(bool value)
{
    return value ? "true" : "false";
}

void status_line(void)
{
    const pipeline_t *pipeline = app.pipeline;
    const listen_counts_t counts = listen_counts();
    json_t json;
    json_begin(&json, app.line, app.line_size);
    json_print(&json,
               "\"" KEY_STATUS "\":%u,\"" KEY_LIVE "\":%s,\"" KEY_STAGES "\":%s,\"" KEY_WINDOWS
               "\":%u,\"" KEY_DECISIONS "\":%u,\"" KEY_LATE "\":%u,\"" KEY_DROPPED "\":%u,\"" KEY_LOST
               "\":%u,\"" KEY_SERIAL_LOST "\":%u,\"" KEY_ERRORS "\":%u,\"" KEY_STACK "\":%u,\"" KEY_AWAKE
               "\":%u,\"" KEY_RESTARTS "\":%u",
               pipeline == NULL ? UINT32_C(0) : pipeline->state->sequence, flag(listen_is_live()),
               flag(listen_stages()), counts.windows, counts.decisions, counts.late, output_dropped(),
               counts.lost, port_serial_lost(), protocol_errors(), (uint32_t)port_stack_used(), idle_awake(),
               counts.restarts);
    capture_status(&json);
    if (pipeline != NULL)
        models_settings(&json);
    output_line(app.line, json_end(&json));
}
