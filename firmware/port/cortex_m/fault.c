/* What should never happen: lines that say where, then a reset. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include <string.h>

extern uint8_t _stack_bottom[], _stack_top[];

#define NMI 2u /* the watchdog's, where a chip connects it there; nothing else is */

#define CFSR_NOT_STACKED (1u << 4 | 1u << 12 | 1u << 20) /* MSTKERR, STKERR, STKOF: there is no frame */

/* Rounds of a loop between the last line and the reset: a chip that fails at every start leaves the serial
 * line some rest. */
#define REST 1000000u

void fault_handler(void);
void default_handler(void);
void fault_report(const uint32_t *frame, const uint32_t *saved);

/* Registers as an exception stacks them (Armv7-M manual, B1.5.6), then as fault_handler() does. */
static const char *const fault_registers[8] = {"r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr"};
static const char *const fault_saved[9] = {"r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "exc"};

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

static void hexadecimal(uint32_t value)
{
    char digits[8];
    for (size_t i = 0; i < 8; i++)
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    port_emergency_write(digits, sizeof digits);
}

/* ,"NAME":"0a1b2c3d" */
static void member(const char *name, uint32_t value)
{
    text(",\"");
    text(name);
    text("\":\"");
    hexadecimal(value);
    text("\"");
}

/* {"error":"WORDS","detail":N, the newline first because a line may just have been on its way */
static void begin(const protocol_error_t *error, uint32_t detail)
{
    text("\n{\"" KEY_ERROR "\":\"");
    text(error->words);
    text("\",\"" KEY_DETAIL "\":");
    decimal(detail);
}

/* ,"code":N} */
static void code(const protocol_error_t *error)
{
    text(",\"" KEY_CODE "\":");
    decimal(error->code);
    text("}\n");
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
    interrupts_off();
    for (;;)
        __asm volatile("wfi");
}

static _Noreturn void end(void)
{
    for (volatile uint32_t rest = 0; rest < REST; rest++) {
    }
    reset_after_fault();
}

/* The stack may be what failed: near its bottom the report starts on a fresh one, which costs the old frames.
 * Passes the stacked frame, and r4 to r11 with the exception's return value. */
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile("tst lr, #4\n\t"
                   "ite eq\n\t"
                   "mrseq r0, msp\n\t"
                   "mrsne r0, psp\n\t"
                   "ldr r1, =_stack_bottom + 1024\n\t"
                   "cmp sp, r1\n\t"
                   "it lo\n\t"
                   "ldrlo sp, =_stack_top\n\t"
                   "push {r4-r11, lr}\n\t"
                   "mov r1, sp\n\t"
                   "bl fault_report\n\t"
                   ".ltorg");
}

/* The watchdog's own interrupt, where it is none of the core's exceptions. */
__attribute__((naked)) _Noreturn void watchdog_handler(void)
{
    __asm volatile("b fault_handler");
}

/* Lines of the stack from `address` to its top. */
static void stack_dump(uintptr_t address)
{
    const uintptr_t bottom = (uintptr_t)_stack_bottom + STACK_GUARD;
    const uint32_t *word = (const uint32_t *)((address < bottom ? bottom : address) & ~(uintptr_t)3);
    const uint32_t *const top = (const uint32_t *)(uintptr_t)_stack_top;
    for (uint32_t line = 0; line < PROTOCOL_STACK_LINES && word < top; line++) {
        text("{\"" KEY_STACK "\":\"");
        hexadecimal((uint32_t)word);
        text("\",\"" KEY_WORDS "\":\"");
        for (uint32_t i = 0; i < PROTOCOL_STACK_WORDS && word < top; i++) {
            if (i > 0)
                text(" ");
            hexadecimal(*word++);
        }
        text("\"}\n");
    }
}

static const protocol_error_t *kind(uint32_t exception, uint32_t address)
{
    if (exception == NMI || exception > 15)
        return &error_watchdog;
    return guard_hit(address) ? &error_stack_overflow : &error_fault;
}

/* `frame`: the stacked registers; `saved`: r4 to r11, EXC_RETURN. detail is the exception's number: 2 NMI, 3
 * hard, 4 memory, 5 bus, 6 usage fault, from 16 on the watchdog's interrupt. */
void fault_report(const uint32_t *frame, const uint32_t *saved)
{
    const uintptr_t address = (uintptr_t)frame;
    const uint32_t cfsr = SCB_CFSR;
    const protocol_error_t *const error = kind(exception_number(), (uint32_t)address);
    begin(error, exception_number());
    if (!(cfsr & CFSR_NOT_STACKED) && address >= (uintptr_t)_stack_bottom + STACK_GUARD &&
        address <= (uintptr_t)_stack_top - 8 * sizeof *frame)
        for (size_t i = 8; i-- > 0;)
            member(fault_registers[i], frame[i]);
    member("sp", (uint32_t)address);
    member(fault_saved[8], saved[8]);
    for (size_t i = 0; i < 8; i++)
        member(fault_saved[i], saved[i]);
    member("cfsr", cfsr);
    member("hfsr", SCB_HFSR);
    member("mmfar", SCB_MMFAR);
    member("bfar", SCB_BFAR);
    code(error);
    stack_dump(address);
    end();
}

static _Noreturn void fail(const protocol_error_t *error, uint32_t detail)
{
    begin(error, detail);
    code(error);
    end();
}

/* An interrupt without a handler; detail: its number, as the vector table counts. */
void default_handler(void)
{
    fail(&error_interrupt, exception_number());
}

_Noreturn void port_fail(const protocol_error_t *error)
{
    interrupts_save();
    fail(error, 0);
}
