/* SPDX-License-Identifier: Apache-2.0 */
/* The vector table of a program that reads and writes through the debugger's semihosting calls (newlib's
 * rdimon). */
#include <stdint.h>

extern uint32_t semihost_stack_top;
extern void _start(void);

__attribute__((noreturn)) static void semihost_fault(void)
{
    static const uint32_t report[2] = {0x20023, 1};   /* ADP_Stopped_RunTimeErrorUnknown */
    register uint32_t operation __asm__("r0") = 0x20; /* SYS_EXIT_EXTENDED */
    register const uint32_t *argument __asm__("r1") = report;
    __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
    for (;;) {
    }
}

static void semihost_reset(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: floating point on */
    _start();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &semihost_stack_top,          (const void *)semihost_reset, (const void *)semihost_fault,
    (const void *)semihost_fault, (const void *)semihost_fault, (const void *)semihost_fault,
    (const void *)semihost_fault,
};
