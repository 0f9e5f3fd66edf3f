/* SPDX-License-Identifier: Apache-2.0 */
/* Starting anew, and remembering why. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

#define AIRCR_RESET 0x05FA0004u /* the key and SYSRESETREQ */

static const char *reset_cause;

_Noreturn void reset_now(void)
{
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_RESET;
    __asm volatile("dsb" ::: "memory");
    halt();
}

const char *port_reset_cause(void)
{
    if (reset_cause == NULL) {
        reset_cause = reset_cause_of_chip();
        if (fault_ended_last_run())
            reset_cause = RESET_FAULT;
    }
    return reset_cause;
}
