/* SPDX-License-Identifier: Apache-2.0 */
#include "device/output.h"
#include "device/idle.h"
#include "port/port.h"

static struct {
    bool blocking;
    bool stalled; /* nobody took anything for a second: lines are dropped without another wait until one does
                   */
    bool cut;     /* the last line ended in the middle: a newline must come before the next */
    uint32_t dropped;
} output;

void output_set_blocking(bool blocking)
{
    output.blocking = blocking;
}

uint32_t output_dropped(void)
{
    return output.dropped;
}

/* Bytes that may be written now, 0 when a second brought none. */
static size_t wait_for_room(void)
{
    const uint32_t start = port_ticks();
    size_t room = port_write_capacity();
    while (room == 0 && !output.stalled) {
        output.stalled = port_ticks() - start >= port_tick_hz;
        if (!output.stalled) {
            idle_sleep();
            room = port_write_capacity();
        }
    }
    if (room > 0)
        output.stalled = false;
    return room;
}

/* Bytes of `text` that went out. */
static size_t write_blocking(const char *text, size_t size)
{
    size_t written = 0;
    while (written < size) {
        const size_t room = wait_for_room();
        if (room == 0)
            break;
        const size_t count = size - written < room ? size - written : room;
        port_write(text + written, count);
        written += count;
    }
    return written;
}

void output_line(const char *line, size_t size)
{
    const size_t needed = size + output.cut;
    if (size == 0 || (!output.blocking && port_write_capacity() < needed)) {
        output.dropped++;
        return;
    }
    if (output.cut)
        output.cut = write_blocking("\n", 1) == 0;
    const size_t written = output.cut ? 0 : write_blocking(line, size);
    if (written < size) {
        output.cut = output.cut || written > 0;
        output.dropped++;
    }
}
