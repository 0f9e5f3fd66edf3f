/* SPDX-License-Identifier: Apache-2.0 */
/* What should never happen: lines that say where, then a reset. They are kept over it and reported once more
 * to the first host that says a word, since there may have been none. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include <string.h>

extern uint8_t _stack_bottom[], _stack_top[];

#define NMI 2u /* the watchdog's, where a chip connects it there; nothing else is */

#define CFSR_NOT_STACKED (1u << 4 | 1u << 12 | 1u << 20) /* MSTKERR, STKERR, STKOF: there is no frame */

#define LINE_MAX 464u /* no line is longer: 22 registers and the names of what failed */

/* Rounds of a loop between the last line and the reset: a chip that fails at every start leaves the serial
 * line some rest. */
#define REST 1000000u

/* States of what is kept. No memory holds one of them with the right sum by chance. */
#define FAULT_NEW  0x46415554u /* by the run that has just ended */
#define FAULT_KEPT 0x4B455054u /* by an earlier one; nobody has been told */

#define FRAME_WORDS 8u
#define REGISTERS   22u
#define KEPT_WORDS  64u

/* In the order in which they are reported; those before sp are of the frame, which may be missing. */
static const char *const fault_names[REGISTERS] = {
    "psr", "pc", "lr", "r12", "r3", "r2",  "r1",  "r0",   "sp",   "exc",   "r4",
    "r5",  "r6", "r7", "r8",  "r9", "r10", "r11", "cfsr", "hfsr", "mmfar", "bfar",
};

/* In memory that a reset leaves alone. `error` points into the flash: the sum begins with the image's own
 * checksum, so another image takes this for nothing. */
static struct {
    uint32_t state, sum;
    const protocol_error_t *error;
    uint32_t detail;
    uint32_t first; /* of the registers: 0, FRAME_WORDS where the frame is missing, REGISTERS where all are */
    uint32_t registers[REGISTERS];
    uint32_t words, address, stack[KEPT_WORDS];
} fault __attribute__((section(".noinit")));

static bool fault_telling;  /* as any line; else the chip is about to reset */
static uint32_t fault_reported; /* lines */

void fault_handler(void);
void default_handler(void);
void fault_report(const uint32_t *frame, const uint32_t *saved);

static void put(const char *words, size_t size)
{
    if (fault_telling)
        port_write(words, size);
    else
        port_emergency_write(words, size);
}

static void text(const char *words)
{
    put(words, strlen(words));
}

static void decimal(uint32_t number)
{
    char digits[10];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(digits + start, sizeof digits - start);
}

static void hexadecimal(uint32_t value)
{
    char digits[8];
    for (size_t i = 0; i < 8; i++)
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    put(digits, sizeof digits);
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

/* {"error":"WORDS","detail":N,...,"code":C}, the newline first because a line may just have been on its way.
 */
static void line(const char *key)
{
    text("\n{\"");
    text(key);
    text("\":\"");
    text(fault.error->words);
    text("\",\"" KEY_DETAIL "\":");
    decimal(fault.detail);
    for (uint32_t i = fault.first; i < REGISTERS; i++)
        member(fault_names[i], fault.registers[i]);
    text(",\"" KEY_CODE "\":");
    decimal(fault.error->code);
    text("}\n");
}

static void stack_line(uint32_t address, const uint32_t *words, uint32_t count)
{
    text("{\"" KEY_STACK "\":\"");
    hexadecimal(address);
    text("\",\"" KEY_WORDS "\":\"");
    for (uint32_t i = 0; i < count && i < PROTOCOL_STACK_WORDS; i++) {
        if (i > 0)
            text(" ");
        hexadecimal(words[i]);
    }
    text("\"}\n");
}

/* What failed, without registers and stack. */
static void begin(const protocol_error_t *error, uint32_t detail)
{
    fault_telling = false;
    fault.error = error;
    fault.detail = detail;
    fault.first = REGISTERS;
    fault.words = 0;
}

static uint32_t sum(void)
{
    const uint32_t *word = (const uint32_t *)&fault.error, *const end = (const uint32_t *)(&fault + 1);
    uint32_t total = port_image_crc();
    while (word < end)
        total = (total << 1 | total >> 31) + *word++;
    return total;
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
    fault.sum = sum();
    fault.state = FAULT_NEW;
    for (volatile uint32_t rest = 0; rest < REST; rest++) {
    }
    reset_now();
}

bool fault_ended_last_run(void)
{
    const uint32_t state = fault.sum == sum() ? fault.state : 0;
    fault.state = state == FAULT_NEW || state == FAULT_KEPT ? FAULT_KEPT : 0;
    return state == FAULT_NEW;
}

bool port_tell_fault(void)
{
    if (fault.state != FAULT_KEPT || port_write_capacity() < LINE_MAX)
        return false;
    fault_telling = true;
    const uint32_t at = (fault_reported - 1) * PROTOCOL_STACK_WORDS;
    if (fault_reported == 0)
        line(KEY_FAULT);
    else
        stack_line(fault.address + at * (uint32_t)sizeof *fault.stack, fault.stack + at, fault.words - at);
    fault_telling = false;
    if (fault_reported * PROTOCOL_STACK_WORDS >= fault.words)
        fault.state = 0;
    fault_reported++;
    return true;
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

/* Lines of the stack from `address` to its top; the first words of them are kept. */
static void stack_dump(uintptr_t address)
{
    const uintptr_t bottom = (uintptr_t)_stack_bottom + STACK_GUARD;
    const uint32_t *word = (const uint32_t *)((address < bottom ? bottom : address) & ~(uintptr_t)3);
    const uint32_t *const top = (const uint32_t *)(uintptr_t)_stack_top;
    fault.address = (uint32_t)word;
    for (; fault.words < KEPT_WORDS && word + fault.words < top; fault.words++)
        fault.stack[fault.words] = word[fault.words];
    for (uint32_t lines = 0; lines < PROTOCOL_STACK_LINES && word < top;
         lines++, word += PROTOCOL_STACK_WORDS)
        stack_line((uint32_t)word, word, (uint32_t)(top - word));
}

static const protocol_error_t *kind(uint32_t exception, uint32_t address)
{
    if (exception == NMI || exception > 15)
        return &error_watchdog;
    return guard_hit(address) ? &error_stack_overflow : &error_fault;
}

/* `frame`: the stacked registers; `saved`: r4 to r11, EXC_RETURN. detail is the exception's number: 2 NMI, 3
 * hard, 4 memory, 5 bus, 6 usage fault, from 16 on the watchdog's interrupt. */
__attribute__((used)) void fault_report(const uint32_t *frame, const uint32_t *saved)
{
    const uintptr_t address = (uintptr_t)frame;
    const uint32_t cfsr = SCB_CFSR;
    begin(kind(exception_number(), (uint32_t)address), exception_number());
    fault.first = FRAME_WORDS;
    if (!(cfsr & CFSR_NOT_STACKED) && address >= (uintptr_t)_stack_bottom + STACK_GUARD &&
        address <= (uintptr_t)_stack_top - FRAME_WORDS * sizeof *frame)
        fault.first = 0;
    uint32_t *value = fault.registers;
    for (size_t i = FRAME_WORDS; i-- > 0;)
        *value++ = fault.first == 0 ? frame[i] : 0;
    *value++ = (uint32_t)address;
    *value++ = saved[8];
    for (size_t i = 0; i < 8; i++)
        *value++ = saved[i];
    *value++ = cfsr;
    *value++ = SCB_HFSR;
    *value++ = SCB_MMFAR;
    *value = SCB_BFAR;
    line(KEY_ERROR);
    stack_dump(address);
    end();
}

static _Noreturn __attribute__((noinline)) void fail(const protocol_error_t *error, uint32_t detail)
{
    begin(error, detail);
    line(KEY_ERROR);
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
