/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/clock.h"
#include "port/port.h"

#define MICROS 1000000u

static struct {
    uint32_t last; /* ticks at the last call */
    uint64_t ticks;
} elapsed;

uint64_t clock_micros(void)
{
    const uint32_t now = port_ticks();
    elapsed.ticks += now - elapsed.last;
    elapsed.last = now;
    const uint64_t seconds = elapsed.ticks / port_tick_hz;
    const uint64_t rest = elapsed.ticks - seconds * port_tick_hz; /* so that the product has room for days */
    return seconds * MICROS + rest * MICROS / port_tick_hz;
}
