/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The core's own registers and what every port on a Cortex-M shares. Addresses: Armv7-M manual, DDI 0403E,
 * B3.2. */

#define CORTEX_M_REGISTER(address) (*(volatile uint32_t *)(address))

#define SYSTICK_CTRL CORTEX_M_REGISTER(0xE000E010)
#define SYSTICK_LOAD CORTEX_M_REGISTER(0xE000E014)
#define SYSTICK_VAL  CORTEX_M_REGISTER(0xE000E018)
#define SCB_ICSR     CORTEX_M_REGISTER(0xE000ED04)
#define SCB_VTOR     CORTEX_M_REGISTER(0xE000ED08)
#define SCB_AIRCR    CORTEX_M_REGISTER(0xE000ED0C)
#define SCB_SCR      CORTEX_M_REGISTER(0xE000ED10)
#define SCB_CCR      CORTEX_M_REGISTER(0xE000ED14)
#define SCB_SHPR(n)  CORTEX_M_REGISTER(0xE000ED18 + 4 * (n)) /* priorities of the exceptions, four a word */
#define SCB_SHCSR    CORTEX_M_REGISTER(0xE000ED24)
#define SCB_CFSR     CORTEX_M_REGISTER(0xE000ED28)
#define SCB_HFSR     CORTEX_M_REGISTER(0xE000ED2C)
#define SCB_MMFAR    CORTEX_M_REGISTER(0xE000ED34)
#define SCB_BFAR     CORTEX_M_REGISTER(0xE000ED38)
#define SCB_CPACR    CORTEX_M_REGISTER(0xE000ED88)
#define NVIC_ISER(n) CORTEX_M_REGISTER(0xE000E100 + 4 * (n))
#define NVIC_ICER(n) CORTEX_M_REGISTER(0xE000E180 + 4 * (n))
#define NVIC_ISPR(n) CORTEX_M_REGISTER(0xE000E200 + 4 * (n))
#define NVIC_ICPR(n) CORTEX_M_REGISTER(0xE000E280 + 4 * (n))
#define NVIC_IPR(n)  CORTEX_M_REGISTER(0xE000E400 + 4 * (n)) /* priorities of the interrupts, four a word */

static inline void nvic_enable(uint32_t interrupt)
{
    NVIC_ISER(interrupt / 32) = 1u << interrupt % 32;
}

/* Runs the interrupt's handler soon, as if its device had asked. */
static inline void nvic_pend(uint32_t interrupt)
{
    NVIC_ISPR(interrupt / 32) = 1u << interrupt % 32;
}

/* Interrupts off; returns whether they were off before, for interrupts_restore(). */
static inline uint32_t interrupts_save(void)
{
    uint32_t masked;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
    return masked;
}

static inline void interrupts_restore(uint32_t masked)
{
    __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
}

/* ticks.c: counts the core's clock by SysTick, wraps included; or the port's own, where SysTick does not run
 * asleep. */
void ticks_start(void);

/* sleep.c: every handler ends with it. The main loop looks at what the handler filled or emptied, and all
 * that the handler wrote has arrived before it returns. */
void sleep_wake(void);

/* startup.c: no SysTick and no interrupt that a device could ask for, and none pending. */
void interrupts_off(void);

/* startup.c: bytes of the stack that are no longer as startup painted them. */
size_t stack_used(void);

/* guard.c: what the stack must not reach. Bytes at its bottom that fault at any touch: an MPU region on
 * Armv7-M; Armv8-M has a register for the limit and needs none. */
#if __ARM_ARCH >= 8
#define STACK_GUARD 0u
#else
#define STACK_GUARD 256u
#endif
void guard_start(void);
bool guard_hit(uint32_t stack_pointer); /* whether this fault is the stack's overflow */

/* reset.c: starts the chip anew. */
_Noreturn void reset_now(void);

/* fault.c: whether a fault's reset started this run. Called once. */
bool fault_ended_last_run(void);

/* The port's: why the chip says it started, or "" where it does not say. Called once. */
const char *reset_cause_of_chip(void);

/* image.c: the checksum, once; port_fail() where the flash is not as it was built. */
void image_check(void);

/* fault.c: an interrupt's handler may end here as the faults do; see port.h for the line. */
_Noreturn void watchdog_handler(void);

/* fault.c: everything off, asleep until the next reset. */
_Noreturn void halt(void);

/* The port's: sends by polling, whatever interrupts and rings do; gives up on a line that takes nothing, and
 * for good: a dump is many calls. */
void port_emergency_write(const char *text, size_t size);

#endif
