/* SPDX-License-Identifier: Apache-2.0 */
/* The supply: its converter, and the comparator that says when it fails. */
#include "port/cortex_m/cortex_m.h"
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define EVENTS_POFWARN (NRF52_POWER + 0x108)
#define INTENSET       (NRF52_POWER + 0x304)
#define POFCON         (NRF52_POWER + 0x510)
#define DCDCEN         (NRF52_POWER + 0x578)

#define POF_2V0     (1u << 0 | 7u << 1) /* on, THRESHOLD: the boards run from 3 V, the chip down to 1.7 V */
#define INT_POFWARN (1u << 2)

void power_handler(void);

void power_start(void)
{
#if BOARD_DCDC
    register_write(DCDCEN, 1);
#endif
    register_write(POFCON, POF_2V0);
    register_write(EVENTS_POFWARN, 0);
    register_write(INTENSET, INT_POFWARN);
    nvic_enable(BOARD_POWER_IRQ);
}

/* Samples and flash are not to be trusted any more. Until the supply is back, each start ends here. */
void power_handler(void)
{
    port_fail(&error_supply_low);
}
