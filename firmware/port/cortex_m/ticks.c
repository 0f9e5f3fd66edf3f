/* SysTick counts 24 bits of the core's clock down; its interrupt counts the wraps. */
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

#define WRAP         (1u << 24)
#define PEND_SYSTICK (1u << 26)

const uint32_t port_tick_hz = BOARD_CLOCK_HZ;

static volatile uint32_t ticks_wrapped; /* ticks of all finished rounds */

void systick_handler(void);

void systick_handler(void)
{
    ticks_wrapped += WRAP;
    sleep_wake();
}

void ticks_start(void)
{
    SYSTICK_LOAD = WRAP - 1;
    SYSTICK_VAL = 0;
    SYSTICK_CTRL = 7; /* core clock, interrupt, on */
}

uint32_t port_ticks(void)
{
    const uint32_t masked = interrupts_save();
    uint32_t wrapped = ticks_wrapped;
    uint32_t value = SYSTICK_VAL;
    if (SCB_ICSR & PEND_SYSTICK) { /* a round has ended that the handler did not see yet */
        wrapped += WRAP;
        value = SYSTICK_VAL;
    }
    interrupts_restore(masked);
    return wrapped + (WRAP - 1 - value);
}
