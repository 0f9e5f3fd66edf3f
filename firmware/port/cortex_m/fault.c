/* What should never happen: one line that says where, then silence. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include <string.h>

extern uint8_t _stack_bottom[], _stack_top[];

void fault_handler(void);
void default_handler(void);
void fault_report(const uint32_t *frame);

/* Registers as an exception stacks them (Armv7-M manual, B1.5.6). */
static const char *const fault_registers[8] = {"r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr"};

static void text(const char *words)
{
    port_emergency_write(words, strlen(words));
}

static void decimal(uint32_t number)
{
    char digits[10];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    port_emergency_write(digits + start, sizeof digits - start);
}

/* ,"NAME":"0a1b2c3d" */
static void member(const char *name, uint32_t value)
{
    char digits[8];
    for (size_t i = 0; i < 8; i++)
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    text(",\"");
    text(name);
    text("\":\"");
    port_emergency_write(digits, sizeof digits);
    text("\"");
}

/* {"error":"WHAT","detail":N, the newline first because a line may just have been on its way */
static void begin(const char *what, uint32_t detail)
{
    text("\n{\"error\":\"");
    text(what);
    text("\",\"detail\":");
    decimal(detail);
}

static uint32_t exception_number(void)
{
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    return number;
}

_Noreturn void halt(void)
{
    interrupts_save();
    SYSTICK_CTRL = 0;
    for (uint32_t i = 0; i < 8; i++)
        NVIC_ICER(i) = UINT32_MAX;
    for (;;)
        __asm volatile("wfi");
}

/* The stack may be what failed: below its bottom the report starts on a fresh one, which costs the old
 * frames. */
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile("tst lr, #4\n\t"
                   "ite eq\n\t"
                   "mrseq r0, msp\n\t"
                   "mrsne r0, psp\n\t"
                   "ldr r1, =_stack_bottom + 512\n\t"
                   "cmp sp, r1\n\t"
                   "it lo\n\t"
                   "ldrlo sp, =_stack_top\n\t"
                   "b fault_report\n\t"
                   ".ltorg");
}

/* `frame`: the stacked registers; detail is the exception's number: 3 hard, 4 memory, 5 bus, 6 usage fault.
 */
void fault_report(const uint32_t *frame)
{
    const uintptr_t address = (uintptr_t)frame;
    begin("fault", exception_number());
    if (address >= (uintptr_t)_stack_bottom && address <= (uintptr_t)_stack_top - 8 * sizeof *frame)
        for (size_t i = 8; i-- > 0;)
            member(fault_registers[i], frame[i]);
    member("sp", (uint32_t)address);
    member("cfsr", SCB_CFSR);
    member("hfsr", SCB_HFSR);
    member("mmfar", SCB_MMFAR);
    member("bfar", SCB_BFAR);
    text("}\n");
    halt();
}

/* An interrupt without a handler; detail: its number, as the vector table counts. */
void default_handler(void)
{
    begin("interrupt", exception_number());
    text("}\n");
    halt();
}

_Noreturn void port_fail(const char *wait)
{
    begin(wait, 0);
    text("}\n");
    halt();
}
