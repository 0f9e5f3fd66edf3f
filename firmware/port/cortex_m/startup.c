/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(). Symbols: the board's linker script. */
#include "port/cortex_m/cortex_m.h"

#define PAINT         0xA5A5A5A5
#define SHCSR_FAULTS  (7u << 16)            /* memory, bus and usage faults have exceptions of their own */
#define ICSR_CLEAR    (1u << 27 | 1u << 25) /* PendSV and SysTick are no longer pending */
#define CCR_UNALIGNED (1u << 3)             /* a word at an odd address faults */
#define NVIC_WORDS    8u                    /* 256 interrupts; what a core lacks of them ignores the write */

/* The addresses that the first instructions need: VTOR and MPU_CTRL count from this one. */
#define SCB      "0xE000ED00"
#define VTOR     "8"
#define MPU_CTRL "0x94"

#define TEXT_OF(macro) TEXT(macro)
#define TEXT(words)    #words

extern uint32_t _data_start[], _data_end[], _bss_start[], _bss_end[], _stack_bottom[], _stack_top[];
extern const uint32_t _data_load[];

int main(void);
void reset_handler(void);
void reset_start(void);

/* After a reset the core is clean; a bootloader or a debugger's loader that jumps here may have left
 * anything: its own stack, perhaps by the second stack pointer, masked interrupts, an MPU that forbids our
 * memory. So this comes before the first use of a stack, and paints all of the stack before anything lies
 * there. */
__attribute__((naked, section(".text.reset_handler"))) void reset_handler(void)
{
    __asm volatile("cpsid i\n\t"
                   "movs r0, #0\n\t"
                   "msr control, r0\n\t" /* the main stack, privileged, no floating-point context */
                   "isb\n\t"
                   "msr basepri, r0\n\t"
                   "msr faultmask, r0\n\t"
#if __ARM_ARCH >= 8
                   "msr msplim, r0\n\t"
#endif
                   "ldr r2, =" SCB "\n\t"
                   "ldr r1, =vectors\n\t"
                   "str r0, [r2, #" MPU_CTRL "]\n\t"
                   "str r1, [r2, #" VTOR "]\n\t"
                   "dsb\n\t"
                   "isb\n\t"
                   "ldr r1, [r1]\n\t"
                   "msr msp, r1\n\t"
                   "ldr r0, =_stack_bottom\n\t"
                   "ldr r2, =" TEXT_OF(PAINT) "\n"
                                              "1:\n\t"
                                              "str r2, [r0], #4\n\t"
                                              "cmp r0, r1\n\t"
                                              "blo 1b\n\t"
                                              "b reset_start\n\t"
                                              ".ltorg");
}

void interrupts_off(void)
{
    SYSTICK_CTRL = 0;
    SCB_ICSR = ICSR_CLEAR;
#pragma GCC unroll 1 /* fewer bytes of code, by far */
    for (uint32_t i = 0; i < NVIC_WORDS; i++) {
        NVIC_ICER(i) = UINT32_MAX;
        NVIC_ICPR(i) = UINT32_MAX;
    }
}

/* Volatile: the compiler must not turn this into a call of memset before there is data. */
static void clear(volatile uint32_t *start, const volatile uint32_t *end)
{
    while (start < end)
        *start++ = 0;
}

/* What else may differ from a reset: handlers of one priority do not interrupt each other, sleep is no deep
 * sleep, a word may lie at any address. */
static void start_clean(void)
{
    interrupts_off();
    SCB_SCR = 0;
    SCB_CCR &= ~CCR_UNALIGNED;
    clear(&SCB_SHPR(0), &SCB_SHPR(3));
    clear(&NVIC_IPR(0), &NVIC_IPR(8 * NVIC_WORDS));
    interrupts_restore(0);
}

__attribute__((used)) void reset_start(void)
{
    start_clean();
#ifdef __ARM_FP
    SCB_CPACR |= 0xFu << 20; /* CP10 and CP11: the FPU */
    __asm volatile("dsb\n\tisb");
#endif
    volatile uint32_t *data = _data_start;
    for (const volatile uint32_t *source = _data_load; data < _data_end;)
        *data++ = *source++;
    clear(_bss_start, _bss_end);
    SCB_SHCSR |= SHCSR_FAULTS;
    guard_start();

    main();
    halt();
}

size_t stack_used(void)
{
    const uint32_t *low = _stack_bottom + STACK_GUARD / sizeof *low;
    while (low < _stack_top && *low == PAINT)
        low++;
    return (size_t)(_stack_top - low) * sizeof *low;
}
