/* SPDX-License-Identifier: Apache-2.0 */
/* The data watchpoint and trace unit counts the core's clocks (Armv7-M manual, DDI 0403E, C1.8; the same in
 * Armv8-M). Weak: a machine that has none says so in its port. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

#define DEMCR      CORTEX_M_REGISTER(0xE000EDFC)
#define DWT_CTRL   CORTEX_M_REGISTER(0xE0001000)
#define DWT_CYCCNT CORTEX_M_REGISTER(0xE0001004)

#define START_POLLS 1000u

#define TRCENA    (1u << 24) /* the unit is on */
#define CYCCNTENA (1u << 0)
#define NOCYCCNT  (1u << 25) /* this core was made without the counter */

__attribute__((weak)) bool port_cycles_start(void)
{
    DEMCR |= TRCENA;
    if (DWT_CTRL & NOCYCCNT)
        return false;
    DWT_CTRL |= CYCCNTENA;
    const uint32_t before = DWT_CYCCNT;
    uint32_t polls = 0; /* a locked core may keep it off; an emulator may move it in steps */
    while (DWT_CYCCNT == before && polls < START_POLLS)
        polls++;
    return polls < START_POLLS;
}

__attribute__((weak)) uint32_t port_cycles(void)
{
    return DWT_CYCCNT;
}
