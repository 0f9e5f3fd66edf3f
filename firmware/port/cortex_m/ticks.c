/* SPDX-License-Identifier: Apache-2.0 */
/* SysTick counts 24 bits of the core's clock down; its interrupt counts the wraps. Weak: a port whose SysTick
 * stands still while the core sleeps has a timer in its place. */
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

#define WRAP         (1u << 24)
#define PEND_SYSTICK (1u << 26)
#define START_POLLS  100000u

__attribute__((weak)) const uint32_t port_tick_hz = BOARD_CLOCK_HZ;

static volatile uint32_t ticks_wrapped; /* ticks of all finished rounds */

void systick_handler(void);

void systick_handler(void)
{
    ticks_wrapped += WRAP;
    sleep_wake();
}

__attribute__((weak)) void ticks_start(void)
{
    SYSTICK_LOAD = WRAP - 1;
    SYSTICK_VAL = 0;
    SYSTICK_CTRL = 7; /* core clock, interrupt, on */
    for (uint32_t polls = 0; SYSTICK_VAL == 0 && polls < START_POLLS; polls++) {
        /* the first clock loads the counter; until then its 0 would look like the end of a round */
    }
}

__attribute__((weak)) uint32_t port_ticks(void)
{
    const uint32_t masked = interrupts_save();
    uint32_t wrapped = ticks_wrapped;
    uint32_t value = SYSTICK_VAL;
    if (SCB_ICSR & PEND_SYSTICK) { /* a round has ended that the handler did not see yet */
        wrapped += WRAP;
        value = SYSTICK_VAL;
    } else if (value == 0) { /* it ends now; an emulator may show the 0 some time before the interrupt */
        value = 1;
    }
    interrupts_restore(masked);
    return wrapped + (WRAP - value) % WRAP;
}
