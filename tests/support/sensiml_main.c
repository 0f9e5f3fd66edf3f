/* SPDX-License-Identifier: Apache-2.0 */
/* device/capture/stream.c with a line and a microphone that a test sets. */
#include "device/app.h"
#include "device/capture/stream.h"
#include "device/listen.h"
#include "device/output.h"
#include "port/port.h"
#include <string.h>

size_t take_output(uint8_t *to);
void set_line(size_t room, bool live);
void set_missed(uint32_t samples);
uint32_t times_reset(void);

static char text[512];
static const pipeline_t pipeline = {.sample_rate = 1000};
const app_t app = {.pipeline = &pipeline, .line = text, .line_size = sizeof text - 1};

static uint8_t output[4096];
static size_t used, room;
static bool is_live;
static uint32_t missed, resets;

size_t take_output(uint8_t *to)
{
    const size_t size = used;
    memcpy(to, output, size);
    used = 0;
    return size;
}

void set_line(size_t bytes, bool live)
{
    room = bytes;
    is_live = live;
}

void set_missed(uint32_t samples)
{
    missed = samples;
}

uint32_t times_reset(void)
{
    return resets;
}

void output_line(const char *written, size_t size)
{
    if (used + size <= sizeof output) {
        memcpy(output + used, written, size);
        used += size;
    }
}

size_t port_write_capacity(void)
{
    return room;
}

bool listen_is_live(void)
{
    return is_live;
}

listen_counts_t listen_counts(void)
{
    return (listen_counts_t){.lost = missed};
}

void pipeline_reset(const pipeline_t *own)
{
    resets += own == &pipeline;
}
