/* SPDX-License-Identifier: Apache-2.0 */
#include "device/capture.h"
#include "device/app.h"
#include "device/base64.h"
#include "device/capture/stream.h"
#include "device/listen.h"
#include "device/output.h"
#include "device/protocol.h"
#include "device/status.h"
#include "device/word.h"
#include "port/crc32.h"
#include "port/port.h"
#include <string.h>

#define FULL    16 /* bits of a sample on the line */
#define SMALL   8
#define BIAS    132u /* mu-law of G.711, of 16-bit samples: what is added, and the largest taken */
#define CLIPPED 32635u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples go out as they lie in memory");

static struct {
    uint8_t bits;        /* of a sample; 0: off */
    size_t used;         /* samples in the block */
    uint64_t next;       /* number of the next sample since capture began: those that were lost count, too */
    uint32_t lost;       /* samples that the microphone's ring had lost at the last look */
    uint32_t uncaptured; /* samples whose line did not go out, since start */
    uint32_t level;      /* largest |sample| since the last status line */
    int16_t block[PROTOCOL_CAPTURE_MAX];
} capture;

static uint8_t mu_law(int16_t sample)
{
    const uint32_t sign = sample < 0 ? 0x80 : 0;
    uint32_t magnitude = (uint32_t)(sample < 0 ? -(int32_t)sample : sample);
    magnitude = (magnitude < CLIPPED ? magnitude : CLIPPED) + BIAS;
    const uint32_t segment = 24u - (uint32_t)__builtin_clz(magnitude); /* 0..7 */
    return (uint8_t)~(sign | segment << 4 | (magnitude >> (segment + 3) & 15));
}

/* The block as a samples line; it is empty then. */
static void send(void)
{
    const uint8_t *bytes = (const uint8_t *)capture.block;
    size_t size = capture.used * sizeof capture.block[0];
    uint8_t small[PROTOCOL_CAPTURE_MAX];
    if (capture.bits == SMALL) {
        for (size_t i = 0; i < capture.used; i++)
            small[i] = mu_law(capture.block[i]);
        bytes = small;
        size = capture.used;
    }
    const int64_t first = (int64_t)(capture.next - capture.used);
    json_t json;
    json_begin(&json, app.line, app.line_size);
    json_print(&json, "\"" KEY_SAMPLES "\":%l,\"" KEY_BITS "\":%u", first, (uint32_t)capture.bits);
    json_base64(&json, KEY_DATA, bytes, size);
    char head[48]; /* the checksum is over samples N BITS DATA */
    json_t text = {.text = head, .size = sizeof head};
    json_print(&text, KEY_SAMPLES " %l %u ", first, (uint32_t)capture.bits);
    uint32_t crc = crc32_update(0, head, text.used);
    if (!json.full)
        crc = crc32_update(crc, json.text + json.used - 1 - BASE64_LENGTH(size), BASE64_LENGTH(size));
    crc = __builtin_bswap32(crc);
    json_print(&json, ",\"" KEY_CRC "\":\"%x\"", &crc, sizeof crc);
    const size_t length = json_end(&json);
    /* Live, a decision always finds room behind it. */
    if (listen_is_live() && port_write_capacity() < length + PROTOCOL_DECISION_MAX)
        capture.uncaptured += (uint32_t)capture.used;
    else
        output_line(app.line, length);
    capture.used = 0;
}

/* Samples that the microphone's ring has lost leave a gap in the numbers, where they were missed. */
static void skip_lost(void)
{
    const uint32_t lost = listen_counts().lost;
    if (lost == capture.lost)
        return;
    if (capture.used > 0)
        send();
    capture.next += lost - capture.lost;
    capture.lost = lost;
}

bool capture_take(const int16_t *samples, size_t count)
{
    if (capture.bits != 0)
        skip_lost();
    for (size_t i = 0; i < count; i++) {
        const uint32_t magnitude = (uint32_t)(samples[i] < 0 ? -(int32_t)samples[i] : samples[i]);
        if (magnitude > capture.level)
            capture.level = magnitude;
        if (capture.bits == 0)
            continue;
        capture.block[capture.used++] = samples[i];
        capture.next++;
        if (capture.used == PROTOCOL_CAPTURE_MAX)
            send();
    }
    return stream_take(samples, count);
}

/* bits 0: no samples lines; offered: SensiML's packets in their place. */
static void start(uint8_t bits, bool offered)
{
    stream_offer(offered);
    capture.bits = bits;
    capture.used = 0;
    capture.next = 0;
    capture.lost = listen_counts().lost;
}

bool capture_obey(const char *line, size_t length)
{
    static const struct {
        const char *line;
        uint8_t bits;
        bool offered;
    } lines[] = {
        {WORD_CAPTURE " 16", FULL, false},
        {WORD_CAPTURE " 8", SMALL, false},
        {WORD_CAPTURE " sensiml", 0, true},
        {WORD_CAPTURE " off", 0, false},
    };
    if (stream_obey(line, length))
        return true;
    const size_t word = strlen(WORD_CAPTURE);
    if (length < word || memcmp(line, WORD_CAPTURE, word) != 0 || (length > word && line[word] != ' '))
        return false;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (word_is(line, length, lines[i].line)) {
            start(lines[i].bits, lines[i].offered);
            status_line();
            return true;
        }
    }
    protocol_error_because(&error_usage, 0, USAGE_CAPTURE);
    return true;
}

void capture_status(json_t *json)
{
    json_print(json, ",\"" KEY_CAPTURE "\":%u,\"" KEY_LEVEL "\":%u,\"" KEY_UNCAPTURED "\":%u",
               (uint32_t)capture.bits, capture.level, capture.uncaptured + stream_lost());
    capture.level = 0;
}
