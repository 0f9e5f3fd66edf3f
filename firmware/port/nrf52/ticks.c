/* SPDX-License-Identifier: Apache-2.0 */
/* SysTick stands still while this chip's core sleeps (product specification v1.7, 4.1), so TIMER0 counts
 * instead: 32 bits of 16 MHz, asleep too. Its compare wakes the main loop about once a second. */
#include "port/cortex_m/cortex_m.h"
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define TASKS_START     (NRF52_TIMER0 + 0x000)
#define TASKS_STOP      (NRF52_TIMER0 + 0x004)
#define TASKS_CLEAR     (NRF52_TIMER0 + 0x00C)
#define TASKS_CAPTURE0  (NRF52_TIMER0 + 0x040)
#define EVENTS_COMPARE1 (NRF52_TIMER0 + 0x144)
#define INTENSET        (NRF52_TIMER0 + 0x304)
#define MODE            (NRF52_TIMER0 + 0x504)
#define BITMODE         (NRF52_TIMER0 + 0x508)
#define PRESCALER       (NRF52_TIMER0 + 0x510)
#define CC0             (NRF52_TIMER0 + 0x540)
#define CC1             (NRF52_TIMER0 + 0x544)

#define MODE_TIMER   0u
#define BITMODE_32   3u
#define INT_COMPARE1 (1u << 17)
#define WAKE         (1u << 24) /* ticks between two wakes: 1.05 s */

const uint32_t port_tick_hz = 16000000;

void tick_timer_handler(void);

void ticks_start(void)
{
    register_write(TASKS_STOP, 1); /* a bootloader may have left it on */
    register_write(MODE, MODE_TIMER);
    register_write(BITMODE, BITMODE_32);
    register_write(PRESCALER, 0);
    register_write(TASKS_CLEAR, 1);
    register_write(CC1, WAKE);
    register_write(EVENTS_COMPARE1, 0);
    register_write(INTENSET, INT_COMPARE1);
    nvic_enable(BOARD_TICK_TIMER_IRQ);
    register_write(TASKS_START, 1);
}

void tick_timer_handler(void)
{
    register_write(EVENTS_COMPARE1, 0);
    register_write(CC1, register_read(CC1) + WAKE);
    sleep_wake();
}

uint32_t port_ticks(void)
{
    register_write(TASKS_CAPTURE0, 1);
    return register_read(CC0);
}
