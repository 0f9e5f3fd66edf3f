/* SPDX-License-Identifier: Apache-2.0 */
/* cycles.c with a counter that a test sets, and the line that came. */
#include "device/app.h"
#include "device/cycles.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"
#include <string.h>

void count_to(uint32_t cycles, bool there);
void measured(int stage);
const char *line(void);

static char text[512];
static pipeline_state_t state;
static const pipeline_t pipeline = {.state = &state};
const app_t app = {.pipeline = &pipeline, .line = text, .line_size = sizeof text - 1};

static uint32_t counter;
static bool counts;

void count_to(uint32_t cycles, bool there)
{
    counter = cycles;
    counts = there;
}

/* As pipeline_measured(). */
void measured(int stage)
{
    if (state.measure != NULL)
        state.measure(stage);
}

const char *line(void)
{
    memset(text, 0, sizeof text);
    cycles_line();
    return text;
}

bool port_cycles_start(void)
{
    return counts;
}

uint32_t port_cycles(void)
{
    return counter;
}

void output_line(const char *written, size_t size)
{
    (void)written;
    (void)size;
}

void protocol_error(const protocol_error_t *error, int32_t detail)
{
    (void)detail;
    strcpy(text, error->words);
}
