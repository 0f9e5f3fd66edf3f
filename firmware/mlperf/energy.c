/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/energy.h"
#include "device/idle.h"
#include "mlperf/benchmark.h"
#include "port/port.h"

/* Microseconds. A pin is low for one at least, as the benchmark's interface has it. The timestamp's pulse is
 * longer, so that a monitor that looks 100,000 times a second sees it: 1/100,000 of the shortest measurement.
 */
#define TIMESTAMP 100u
#define PULSE     1u
#define SECOND    1000000u

#define IN_HARDWARE 18u /* bytes that a UART may hold beyond the ring, the one under way with them */
#define BITS        10u /* of a byte on the line */
#define LONGEST     10u /* seconds that nobody takes an answer */

static size_t energy_room; /* of the serial line while nothing waits in it */

bool energy_start(void)
{
    const energy_t *energy = benchmark.energy;
    if (energy == NULL)
        return true;
    energy_room = port_write_capacity();
    port_pin_output(energy->timestamp, true);
    if (benchmark.streams) {
        port_pin_output(energy->processing, false);
        port_pin_output(energy->detected, true);
    }
    return port_serial_rate(energy->baud);
}

/* At least so long. */
static void hold(uint32_t micros)
{
    const uint32_t start = port_ticks(), ticks = micros * ((port_tick_hz + SECOND - 1) / SECOND);
    while (port_ticks() - start < ticks) {
        /* the pin keeps its level */
    }
}

static void fall(port_pin_t pin, uint32_t micros)
{
    port_pin_level(pin, false);
    hold(micros);
    port_pin_level(pin, true);
}

void energy_timestamp(void)
{
    fall(benchmark.energy->timestamp, TIMESTAMP);
}

void energy_quiet(void)
{
    if (benchmark.energy == NULL)
        return;
    const uint32_t start = port_ticks();
    while (port_write_capacity() < energy_room && port_ticks() - start < LONGEST * port_tick_hz) {
        watchdog_feed();
        idle_sleep();
    }
    hold(IN_HARDWARE * BITS * SECOND / benchmark.energy->baud);
}

/* The interface board times both pins from here. */
void energy_listen(void)
{
    if (benchmark.energy == NULL)
        return;
    port_pin_level(benchmark.energy->processing, true);
    hold(PULSE);
    port_pin_level(benchmark.energy->processing, false);
}

void energy_processing(bool busy)
{
    if (benchmark.energy != NULL)
        port_pin_level(benchmark.energy->processing, busy);
}

void energy_detected(void)
{
    if (benchmark.energy != NULL)
        fall(benchmark.energy->detected, PULSE);
}
