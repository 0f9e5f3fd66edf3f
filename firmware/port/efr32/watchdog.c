/* SPDX-License-Identifier: Apache-2.0 */
/* WDOG0: counts the 1 kHz oscillator that nothing stops, asleep too. At three quarters of its time it asks
 * with an interrupt, whose handler says where the core is; at its end it resets. It stops while a debugger
 * halts the core. */
#include "port/cortex_m/cortex_m.h"
#include "port/efr32/efr32.h"
#include "port/port.h"
#include "port/register.h"

#define EN       (EFR32_WDOG0 + 0x04)
#define CFG      (EFR32_WDOG0 + 0x08)
#define CMD      (EFR32_WDOG0 + 0x0C)
#define IF       (EFR32_WDOG0 + 0x18)
#define IEN      (EFR32_WDOG0 + 0x1C)
#define SYNCBUSY (EFR32_WDOG0 + 0x24)

#define CLOCK_ULFRCO 3u
#define CFG_EM1RUN   (1u << 1)
#define CFG_8193     (10u << 16) /* PERSEL: 2^(3 + 10) + 1 clocks */
#define CFG_WARN     (3u << 24)  /* WARNSEL: at 75 % */
#define INT_WARN     (1u << 1)
#define CMD_CLEAR    1u

void watchdog_start(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_WDOG0);
    register_write(CMU_WDOG0CLKCTRL, CLOCK_ULFRCO);
    register_write(CFG, CFG_EM1RUN | CFG_8193 | CFG_WARN);
    register_write(EFR32_CLEAR(IF), UINT32_MAX);
    register_write(EFR32_SET(IEN), INT_WARN);
    register_write(EFR32_SET(EN), 1);
    nvic_enable(BOARD_WATCHDOG_IRQ);
}

/* The last clear takes some of its slow clocks; another one meanwhile would be in vain. */
void watchdog_feed(void)
{
    if (!(register_read(SYNCBUSY) & CMD_CLEAR))
        register_write(CMD, CMD_CLEAR);
}
