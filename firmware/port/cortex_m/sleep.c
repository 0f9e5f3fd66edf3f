/* SPDX-License-Identifier: Apache-2.0 */
/* Sleep that loses no wake-up: a handler that ran since the last sleep keeps the core awake, one that comes
 * while interrupts are masked ends WFI all the same (Armv7-M manual, B1.5.19). */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

static volatile bool sleep_woken;

/* The barrier: a store under way while a Cortex-M4 returns from an exception may make it take the wrong one
 * (erratum 838869, Arm's Cortex-M4 errata notice), and a flag whose clearing is under way asks again. */
void sleep_wake(void)
{
    sleep_woken = true;
    __asm volatile("dsb" ::: "memory");
}

void port_sleep(void)
{
    const uint32_t masked = interrupts_save();
    if (!sleep_woken)
        __asm volatile("dsb\n\twfi" ::: "memory");
    interrupts_restore(masked); /* the handler that ended the sleep runs here */
    __asm volatile("isb" ::: "memory");
    sleep_woken = false; /* the caller now looks at everything, so what came until here is seen */
}
