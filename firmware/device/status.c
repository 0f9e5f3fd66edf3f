/* SPDX-License-Identifier: Apache-2.0 */
#include "device/status.h"
#include "device/app.h"
#include "device/idle.h"
#include "device/json.h"
#include "device/listen.h"
#include "device/output.h"
#include "device/protocol.h"
#include "device/settings.h"
#include "port/port.h"

void status_line(void)
{
    const pipeline_t *pipeline = app.pipeline;
    static const char *const keys[] = {KEY_WINDOWS,     KEY_DECISIONS, KEY_LATE,  KEY_DROPPED, KEY_LOST,
                                       KEY_SERIAL_LOST, KEY_ERRORS,    KEY_STACK, KEY_AWAKE,   KEY_RESTARTS};
    const listen_counts_t counts = listen_counts();
    const uint32_t values[] = {
        counts.windows, counts.decisions,   counts.late,       output_dropped(),
        counts.lost,    port_serial_lost(), protocol_errors(), (uint32_t)port_stack_used(),
        idle_awake(),   counts.restarts};
    json_t json;
    json_begin(&json, app.line, app.line_size);
    json_count(&json, KEY_STATUS, pipeline == NULL ? 0 : pipeline->state->sequence);
    json_flag(&json, KEY_LIVE, listen_is_live());
    json_flag(&json, KEY_STAGES, listen_stages());
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_count(&json, keys[i], values[i]);
    if (pipeline != NULL)
        settings_write(pipeline, &json);
    output_line(app.line, json_end(&json));
}
