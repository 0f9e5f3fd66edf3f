/* SPDX-License-Identifier: Apache-2.0 */
#include "device/cycles.h"
#include "device/app.h"
#include "device/json.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"
#include <string.h>

#define FIRST STAGE_GATE /* the window's samples come one by one, between other things */

static struct {
    uint32_t begin;   /* of the stage */
    uint32_t windows; /* counted */
    uint32_t last[STAGES], most[STAGES];
} cycles;

/* What comes between two windows, sleep too, belongs to STAGE_WINDOW: dropped. */
static void cycles_lap(int stage)
{
    const uint32_t spent = port_cycles() - cycles.begin;
    cycles.windows += stage == STAGE_GATE;
    cycles.last[stage] = spent;
    if (cycles.most[stage] < spent)
        cycles.most[stage] = spent;
    cycles.begin = port_cycles();
}

static void list(json_t *json, const char *key, const uint32_t *values)
{
    json_list(json, key);
    for (int stage = FIRST; stage < STAGES; stage++)
        json_list_number(json, (int32_t)values[stage]);
    json_list_end(json);
}

void cycles_line(void)
{
    json_t json;
    if (!port_cycles_start()) {
        protocol_error(&error_cycles, 0);
        return;
    }
    json_begin(&json, app.line, app.line_size);
    json_print(&json, "\"" KEY_CYCLES "\":%u", cycles.windows);
    list(&json, KEY_LAST, cycles.last);
    list(&json, KEY_MOST, cycles.most);
    output_line(app.line, json_end(&json));
    memset(&cycles, 0, sizeof cycles);
    app.pipeline->state->measure = cycles_lap;
}
