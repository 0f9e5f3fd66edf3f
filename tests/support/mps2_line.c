/* SPDX-License-Identifier: Apache-2.0 */
/* In place of firmware/port/mps2/memory_line.c and microphone.c, which look into a PSRAM that is not here: no
 * line in memory, no microphone. */
#include "port/mps2/mps2.h"
#include "port/port.h"

bool memory_line_start(void)
{
    return false;
}

uint32_t memory_line_capacity(void)
{
    return 0;
}

uint32_t memory_line_read(uint8_t *bytes, uint32_t size)
{
    (void)bytes;
    (void)size;
    return 0;
}

uint32_t memory_line_room(void)
{
    return 0;
}

void memory_line_write(const uint8_t *bytes, uint32_t size)
{
    (void)bytes;
    (void)size;
}

bool port_audio_start(uint32_t sample_rate)
{
    (void)sample_rate;
    return false;
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    (void)samples;
    (void)count;
    return 0;
}

const protocol_error_t *port_audio_fault(void)
{
    return 0;
}
