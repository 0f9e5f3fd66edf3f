/* SPDX-License-Identifier: Apache-2.0 */
/* CMSDK APB watchdog: counts down and, at its end, asks with an NMI; at the next end it resets. */
#include "port/cortex_m/cortex_m.h"
#include "port/mps2/mps2.h"
#include "port/port.h"
#include "port/register.h"

#define LOAD    (BOARD_WATCHDOG_BASE + 0x000)
#define CONTROL (BOARD_WATCHDOG_BASE + 0x008)
#define INTCLR  (BOARD_WATCHDOG_BASE + 0x00C)
#define LOCK    (BOARD_WATCHDOG_BASE + 0xC00)

#define CONTROL_INTERRUPT (1u << 0)
#define CONTROL_RESET     (1u << 1)
#define LOCK_KEY          0x1ACCE551u

/* The emulator's time may be the computer's, which may be busy with other things. */
#define SECONDS 30u

void watchdog_start(void)
{
    register_write(LOCK, LOCK_KEY);
    register_write(LOAD, SECONDS * BOARD_CLOCK_HZ);
    register_write(CONTROL, CONTROL_INTERRUPT | CONTROL_RESET);
    register_write(LOCK, 0);
}

void watchdog_feed(void)
{
    register_write(LOCK, LOCK_KEY);
    register_write(INTCLR, 1); /* loads the counter anew */
    register_write(LOCK, 0);
}

/* Neither board's register of causes is in its emulator: what is not remembered was the power. */
const char *reset_cause_of_chip(void)
{
    return RESET_POWER;
}
