/* SPDX-License-Identifier: Apache-2.0 */
/* WDT: counts 32,768 a second, asleep too, and resets. It stops while a debugger halts the core. */
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define TASKS_START (NRF52_WDT + 0x000)
#define CRV         (NRF52_WDT + 0x504)
#define RREN        (NRF52_WDT + 0x508)
#define CONFIG      (NRF52_WDT + 0x50C)
#define RR0         (NRF52_WDT + 0x600)

#define CONFIG_SLEEP 1u
#define RELOAD       0x6E524635u
#define SECONDS      8u

void watchdog_start(void)
{
    register_write(CONFIG, CONFIG_SLEEP);
    register_write(CRV, SECONDS * 32768 - 1);
    register_write(RREN, 1); /* RR0 alone */
    register_write(TASKS_START, 1);
}

void watchdog_feed(void)
{
    register_write(RR0, RELOAD);
}
