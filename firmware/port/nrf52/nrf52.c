/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic nRF52840: start, and why it started. */
#include "port/nrf52/nrf52.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include "port/register.h"

#define FICR_DEVICEID0    (NRF52_FICR + 0x060)
#define FICR_DEVICEID1    (NRF52_FICR + 0x064)
#define UICR_APPROTECT    (NRF52_UICR + 0x208)
#define APPROTECT_DISABLE (NRF52_APPROTECT + 0x558)
#define RESETREAS         (NRF52_POWER + 0x400)

/* Chips of build code F0 and later close their debug port at every reset: it stays open only where the image
 * says so too. What was flashed into UICR decides; older chips ignore the write (anomaly 249). */
static void debug_port_follow_uicr(void)
{
    register_write(APPROTECT_DISABLE, register_read(UICR_APPROTECT));
}

void port_start(void)
{
    debug_port_follow_uicr();
    watchdog_start();                         /* before anything that waits */
    pin_output(NRF52_PIN(LED), BOARD_LED_ON); /* lit until all is well */
    power_start();
    ticks_start();
    uart_start(); /* before the crystal: its trouble has to be reported */
    clock_start();
    image_check();
    pin_level(NRF52_PIN(LED), !BOARD_LED_ON);
}

/* The bits stay until they are cleared, so the first of several is the newest reported. After the pin's reset
 * others may be set without reason (anomaly 136), so it comes first. None: the power. */
const char *reset_cause_of_chip(void)
{
    static const struct {
        uint32_t bit;
        const char *cause;
    } causes[] = {
        {1u << 0, RESET_PIN}, {1u << 1, RESET_WATCHDOG}, {1u << 3, RESET_LOCKUP}, {1u << 2, RESET_SOFTWARE}};
    const uint32_t reasons = register_read(RESETREAS);
    register_write(RESETREAS, reasons);
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (reasons & causes[i].bit)
            return causes[i].cause;
    return RESET_POWER;
}

uint64_t port_device_id(void)
{
    return (uint64_t)register_read(FICR_DEVICEID1) << 32 | register_read(FICR_DEVICEID0);
}
