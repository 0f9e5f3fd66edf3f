/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include "port/register.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place of firmware/port/cortex_m/cortex_m.h, as far as drivers need it. */

static inline void nvic_enable(uint32_t interrupt)
{
    register_write(0xE000E100 + 4 * (interrupt / 32), 1u << interrupt % 32);
}

static inline void nvic_pend(uint32_t interrupt)
{
    register_write(0xE000E200 + 4 * (interrupt / 32), 1u << interrupt % 32);
}

void ticks_start(void);
void sleep_wake(void);
void image_check(void);
void port_emergency_write(const char *text, size_t size);
const char *reset_cause_of_chip(void);

#endif
