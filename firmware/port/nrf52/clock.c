/* SPDX-License-Identifier: Apache-2.0 */
/* The core runs at 64 MHz from reset on, from an RC oscillator; the crystal takes its place here. */
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define TASKS_HFCLKSTART    (NRF52_CLOCK + 0x000)
#define EVENTS_HFCLKSTARTED (NRF52_CLOCK + 0x100)
#define ICACHECNF           (NRF52_NVMC + 0x540)

_Static_assert(BOARD_CLOCK_HZ == 64000000, "the chip has no other clock");

void clock_start(void)
{
    register_write(ICACHECNF, 1);
    register_write(EVENTS_HFCLKSTARTED, 0);
    register_write(TASKS_HFCLKSTART, 1);
    if (!register_wait(EVENTS_HFCLKSTARTED, 1, 1))
        port_fail(&error_crystal);
}
