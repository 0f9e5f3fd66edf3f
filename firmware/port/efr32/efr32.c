/* SPDX-License-Identifier: Apache-2.0 */
/* Silicon Labs EFR32, series 2: start, and why it started. */
#include "port/efr32/efr32.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include "port/register.h"

#define EMU_CMD      (EFR32_EMU + 0x70)
#define EMU_RSTCAUSE (EFR32_EMU + 0x94)

#define DEVINFO_EUI64L (EFR32_DEVINFO + 0x48)
#define DEVINFO_EUI64H (EFR32_DEVINFO + 0x4C)

#define CMD_RSTCAUSECLR (1u << 17)

void port_start(void)
{
    lockup_resets();
    watchdog_start(); /* before anything that waits */
    pins_start();
    pin_output(EFR32_PIN(LED), BOARD_LED_ON); /* lit until all is well */
    uart_start();                             /* before the crystal: its trouble has to be reported */
    power_start();
    clock_start();
    uart_follow_clock();
    ticks_start();
    image_check();
    pin_level(EFR32_PIN(LED), !BOARD_LED_ON);
}

/* Bits: POR, PIN, EM4, WDOG0, WDOG1, LOCKUP, SYSREQ, then brown-outs (EFR32xG24 reference manual,
 * EMU_RSTCAUSE). They stay until they are cleared; a power-on sets others too. */
const char *reset_cause_of_chip(void)
{
    static const struct {
        uint32_t bits;
        const char *cause;
    } causes[] = {{1u << 0, RESET_POWER}, {1u << 3 | 1u << 4, RESET_WATCHDOG}, {1u << 5, RESET_LOCKUP},
                  {1u << 1, RESET_PIN},   {1u << 6, RESET_SOFTWARE},           {0x3Fu << 7, RESET_BROWN_OUT}};
    const uint32_t reasons = register_read(EMU_RSTCAUSE);
    register_write(EMU_CMD, CMD_RSTCAUSECLR);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (reasons & causes[i].bits)
            return causes[i].cause;
    return "";
}

uint64_t port_device_id(void)
{
    return (uint64_t)register_read(DEVINFO_EUI64H) << 32 | register_read(DEVINFO_EUI64L);
}
