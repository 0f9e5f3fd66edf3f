/* SPDX-License-Identifier: Apache-2.0 */
#include "device/capture/stream.h"
#include "device/app.h"
#include "device/json.h"
#include "device/listen.h"
#include "device/output.h"
#include "device/word.h"
#include "port/port.h"
#include "protocol_table.h"

static struct {
    bool offered, connected;
    uint32_t since;    /* samples since the last offer */
    uint32_t sequence; /* of the packet that is filled, from 1 */
    uint32_t missed;   /* samples that the microphone's ring had lost at the last look */
    uint32_t lost;
    size_t used; /* samples in the packet */
    uint8_t packet[PROTOCOL_STREAM_PACKET];
} stream;

static void put(size_t at, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        stream.packet[at + i] = (uint8_t)(value >> 8 * i);
}

/* The packet goes out whole or not at all; its number says which one is missing. */
static void send(void)
{
    const size_t end = PROTOCOL_STREAM_PACKET - 1;
    put(0, PROTOCOL_STREAM_SYNC, 1);
    put(1, (uint32_t)end - PROTOCOL_STREAM_HEAD + PROTOCOL_STREAM_COUNTED, 2);
    put(3, 0, 1);
    put(4, PROTOCOL_STREAM_CHANNEL, 1);
    put(5, stream.sequence++, 4);
    uint8_t check = 0;
    for (size_t i = 3; i < end; i++)
        check ^= stream.packet[i];
    stream.packet[end] = check;
    if (listen_is_live() && port_write_capacity() < sizeof stream.packet)
        stream.lost += PROTOCOL_STREAM_SAMPLES;
    else
        output_line((const char *)stream.packet, sizeof stream.packet);
    stream.used = 0;
}

static void add(int16_t sample)
{
    put(PROTOCOL_STREAM_HEAD + 2 * stream.used, (uint16_t)sample, 2);
    if (++stream.used == PROTOCOL_STREAM_SAMPLES)
        send();
}

/* What the microphone's ring has lost is silence: packets are of one size, and tell no place in them. */
static void fill_lost(void)
{
    const uint32_t missed = listen_counts().lost;
    for (; stream.missed != missed; stream.missed++)
        add(0);
}

static void offer(size_t count)
{
    stream.since += (uint32_t)count;
    if (stream.since < app.pipeline->sample_rate)
        return;
    stream.since = 0;
    json_t json;
    json_begin(&json, app.line, app.line_size);
    json_print(&json, STREAM_OFFER, app.pipeline->sample_rate);
    output_line(app.line, json_end(&json));
}

void stream_offer(bool offered)
{
    stream.offered = offered;
    stream.connected = false;
    stream.since = 0;
}

bool stream_take(const int16_t *samples, size_t count)
{
    if (!stream.connected) {
        if (stream.offered)
            offer(count);
        return false;
    }
    fill_lost();
    for (size_t i = 0; i < count; i++)
        add(samples[i]);
    return true;
}

bool stream_obey(const char *line, size_t length)
{
    if (stream.connected) {
        if (word_is(line, length, WORD_DISCONNECT)) {
            stream.connected = false;
            stream.since = 0;
            pipeline_reset(app.pipeline);
        }
        return true;
    }
    if (!stream.offered || !word_is(line, length, WORD_CONNECT))
        return false;
    stream.connected = true;
    stream.used = 0;
    stream.sequence = 1;
    stream.missed = listen_counts().lost;
    return true;
}

uint32_t stream_lost(void)
{
    return stream.lost;
}
