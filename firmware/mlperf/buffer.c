/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/buffer.h"
#include "device/app.h"
#include "mlperf/benchmark.h"
#include "mlperf/command.h"
#include "mlperf/text.h"
#include <string.h>

#define PRINTED 16 /* bytes, where nobody says how many */
#define IN_LINE 8

static struct {
    size_t expected, filled; /* bytes */
} buffer;

static uint8_t *bytes(void)
{
    return benchmark.received != NULL ? benchmark.received : app.input;
}

size_t buffer_filled(void)
{
    return buffer.filled;
}

bool buffer_whole(void)
{
    return buffer.filled == buffer.expected;
}

static void load(const char *argument)
{
    const int32_t size = command_number(argument);
    const bool piece = benchmark.streams && size > 0 && size % 2 == 0 && (size_t)size < benchmark.size;
    if (size < 0 || ((size_t)size != benchmark.size && !piece)) {
        text_line("e-[db load: the model takes ", (int32_t)benchmark.size, " bytes]");
        return;
    }
    buffer.expected = (size_t)size;
    buffer.filled = 0;
    if (piece) /* the end of a recording */
        memset(bytes(), 0, benchmark.size);
    text_line("m-[expecting ", size, " bytes]");
}

static void print(const char *argument)
{
    const int32_t wanted = *argument == '\0' ? PRINTED : command_number(argument);
    if (wanted < 0) {
        text_put("e-[db print takes a number of bytes]\r\n");
        return;
    }
    const size_t count = (size_t)wanted < benchmark.size ? (size_t)wanted : benchmark.size;
    for (size_t i = 0; i < count; i++) {
        text_put(i % IN_LINE == 0 ? "m-buffer-" : "-");
        text_byte(bytes()[i] ^ benchmark.flipped);
        if (i % IN_LINE == IN_LINE - 1 || i == count - 1)
            text_put("\r\n");
    }
}

/* All of the digits, or none: a damaged line changes nothing, and may come again. */
static void fill(const char *digits)
{
    const size_t length = strlen(digits);
    for (size_t i = 0; i < length; i += 2) {
        if (command_byte(digits + i) < 0) {
            text_put("e-[db: an even number of hexadecimal digits is wanted]\r\n");
            return;
        }
    }
    if (length / 2 > buffer.expected - buffer.filled) {
        text_line("e-[db: bytes that are missing: ", (int32_t)(buffer.expected - buffer.filled), "]");
        return;
    }
    for (size_t i = 0; i < length; i += 2)
        bytes()[buffer.filled++] = (uint8_t)command_byte(digits + i) ^ benchmark.flipped;
    if (buffer.filled == buffer.expected)
        text_put("m-load-done\r\n");
    else if (benchmark.streams)
        text_line("", (int32_t)buffer.filled, " bytes received");
}

/* Where the next bytes go: the streaming test's driver sends a damaged piece again. */
static void point(const char *argument)
{
    const int32_t place = command_number(argument);
    if (place < 0 || (size_t)place > buffer.filled)
        text_line("e-[db setptr takes 0 to ", (int32_t)buffer.filled, "]");
    else
        buffer.filled = (size_t)place;
}

void buffer_command(const char *word, const char *argument)
{
    if (strcmp(word, "load") == 0)
        load(argument);
    else if (strcmp(word, "print") == 0)
        print(argument);
    else if (strcmp(word, "getptr") == 0)
        text_line("m-buff-ptr-", (int32_t)buffer.filled, "");
    else if (strcmp(word, "setptr") == 0)
        point(argument);
    else if (*word != '\0' && *argument == '\0')
        fill(word);
    else
        text_put("e-[db takes `load N`, `print [N]` or hexadecimal digits]\r\n");
}
