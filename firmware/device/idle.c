/* SPDX-License-Identifier: Apache-2.0 */
#include "device/idle.h"
#include "port/port.h"

static struct {
    uint32_t last; /* ticks at the last look */
    uint64_t awake, asleep;
} idle;

static uint32_t ticks_since_last(void)
{
    const uint32_t now = port_ticks();
    const uint32_t passed = now - idle.last;
    idle.last = now;
    return passed;
}

void idle_start(void)
{
    idle.last = port_ticks();
}

void idle_sleep(void)
{
    idle.awake += ticks_since_last();
    port_sleep();
    idle.asleep += ticks_since_last();
}

uint32_t idle_awake(void)
{
    idle.awake += ticks_since_last();
    const uint64_t total = idle.awake + idle.asleep;
    uint32_t percent = total == 0 ? 100 : 0;
    for (uint64_t reached = 0; reached < 100 * idle.awake; reached += total)
        percent++; /* a division, rounded up: the library's of 64 bits has 750 bytes */
    idle.awake = 0;
    idle.asleep = 0;
    return percent;
}
