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
    const listen_counts_t counts = listen_counts();
    json_t json;
    json_begin(&json, app.line, app.line_size);
    json_count(&json, "status", pipeline == NULL ? 0 : pipeline->state->sequence);
    json_flag(&json, "live", listen_is_live());
    json_flag(&json, "stages", listen_stages());
    json_count(&json, "windows", counts.windows);
    json_count(&json, "decisions", counts.decisions);
    json_count(&json, "late", counts.late);
    json_count(&json, "dropped", output_dropped());
    json_count(&json, "lost", counts.lost);
    json_count(&json, "serial_lost", port_serial_lost());
    json_count(&json, "errors", protocol_errors());
    json_count(&json, "stack", (uint32_t)port_stack_used());
    json_count(&json, "awake", idle_awake());
    if (pipeline != NULL)
        settings_write(pipeline, &json);
    output_line(app.line, json_end(&json));
}
