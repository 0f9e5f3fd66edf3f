/* From reset to main(). Symbols: the board's linker script. */
#include "port/cortex_m/cortex_m.h"

#define PAINT        0xA5A5A5A5u
#define SHCSR_FAULTS (7u << 16)            /* memory, bus and usage faults have exceptions of their own */
#define ICSR_CLEAR   (1u << 27 | 1u << 25) /* PendSV and SysTick are no longer pending */
#define NVIC_WORDS   8u                    /* 256 interrupts; what a core lacks of them ignores the write */

extern uint32_t _data_start[], _data_end[], _bss_start[], _bss_end[], _stack_bottom[], _stack_top[];
extern const uint32_t _data_load[], vectors[];

int main(void);
void reset_handler(void);

/* Volatile pointers: the compiler must not turn these loops into calls of memcpy and memset before there is
 * data. */
static void fill(volatile uint32_t *start, const volatile uint32_t *end, uint32_t value)
{
    while (start < end)
        *start++ = value;
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

/* After a reset the core is clean; a bootloader that jumps here may have left anything. */
static void start_clean(void)
{
    interrupts_save();
    interrupts_off();
    MPU_CTRL = 0;
    __asm volatile("dsb\n\tisb");
    interrupts_restore(0);
}

__attribute__((section(".text.reset_handler"))) void reset_handler(void)
{
    start_clean();
#ifdef __ARM_FP
    SCB_CPACR |= 0xFu << 20; /* CP10 and CP11: the FPU */
    __asm volatile("dsb\n\tisb");
#endif
    volatile uint32_t *data = _data_start;
    for (const volatile uint32_t *source = _data_load; data < _data_end;)
        *data++ = *source++;
    fill(_bss_start, _bss_end, 0);

    uint32_t *top; /* what lies well below it is not in use yet */
    __asm volatile("mov %0, sp" : "=r"(top));
    fill(_stack_bottom, top - 32, PAINT);
    SCB_VTOR = (uint32_t)vectors; /* a bootloader may have left its own */
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
