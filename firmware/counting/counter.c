/* SPDX-License-Identifier: Apache-2.0 */
/* CMSDK APB timer of Arm's MPS2 boards: counts the peripherals' clock down (Cortex-M System Design Kit
 * manual, DDI 0479C, 4.2). */
#include "counting/counter.h"
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include <string.h>

typedef struct {
    volatile uint32_t ctrl, value, reload, intstatus;
} timer_registers_t;

#define TIMER       ((timer_registers_t *)BOARD_AUDIO_TIMER_BASE)
#define CTRL_ENABLE (1u << 0)

void counter_start(void)
{
    TIMER->ctrl = 0;
    TIMER->reload = UINT32_MAX;
    TIMER->value = UINT32_MAX;
    TIMER->ctrl = CTRL_ENABLE;
}

__attribute__((noinline)) uint32_t counter_now(void)
{
    return ~TIMER->value;
}

void counter_tell(const char *name, uint32_t ticks)
{
    char digits[11];
    size_t start = sizeof digits;
    digits[--start] = '\n';
    do {
        digits[--start] = (char)('0' + ticks % 10);
        ticks /= 10;
    } while (ticks > 0);
    port_emergency_write(name, strlen(name));
    port_emergency_write(" ", 1);
    port_emergency_write(digits + start, sizeof digits - start);
}
