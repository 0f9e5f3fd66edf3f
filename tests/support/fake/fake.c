/* SPDX-License-Identifier: Apache-2.0 */
/* What a port's drivers need around them: registers that Python answers, a clock that Python sets, and
 * port_fail(), which leads back to whoever called. */
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"
#include <setjmp.h>

typedef uint32_t (*reader_t)(uint32_t address);
typedef void (*writer_t)(uint32_t address, uint32_t value);

void fake_connect(reader_t reader, writer_t writer);
void fake_set_ticks(uint32_t ticks);
uintptr_t fake_memory(uint32_t address);
const char *fake_port_start(void);
const char *fake_audio_start(uint32_t rate, bool *started);
const char *fake_audio_fault(void);
const char *fake_call(void (*handler)(void));

#define RAM 0x20100000u /* where fake_anchor seems to lie */

/* Weak: a port may have a clock of its own. */
__attribute__((weak)) const uint32_t port_tick_hz = BOARD_CLOCK_HZ;

static reader_t fake_reader;
static writer_t fake_writer;
static uint32_t fake_ticks;
static char fake_anchor;
static jmp_buf fake_return;
static const char *fake_failed;

void fake_connect(reader_t reader, writer_t writer)
{
    fake_reader = reader;
    fake_writer = writer;
}

void fake_set_ticks(uint32_t ticks)
{
    fake_ticks = ticks;
}

uint32_t register_read(uint32_t address)
{
    return fake_reader(address);
}

void register_write(uint32_t address, uint32_t value)
{
    fake_writer(address, value);
}

uint32_t register_pointer(const volatile void *memory)
{
    return RAM + (uint32_t)((uintptr_t)memory - (uintptr_t)&fake_anchor);
}

uintptr_t fake_memory(uint32_t address)
{
    return (uintptr_t)&fake_anchor + (uintptr_t)(intptr_t)(int32_t)(address - RAM);
}

__attribute__((weak)) uint32_t port_ticks(void)
{
    return fake_ticks;
}

__attribute__((weak)) void ticks_start(void)
{
}

void sleep_wake(void)
{
}

void image_check(void)
{
}

_Noreturn void port_fail(const protocol_error_t *error)
{
    fake_failed = error->words;
    longjmp(fake_return, 1);
}

/* NULL, or the wait that ran out. */
const char *fake_port_start(void)
{
    fake_failed = NULL;
    if (setjmp(fake_return) == 0)
        port_start();
    return fake_failed;
}

const char *fake_audio_start(uint32_t rate, bool *started)
{
    fake_failed = NULL;
    if (setjmp(fake_return) == 0)
        *started = port_audio_start(rate);
    return fake_failed;
}

const char *fake_audio_fault(void)
{
    const protocol_error_t *const error = port_audio_fault();
    return error == NULL ? NULL : error->words;
}

const char *fake_call(void (*handler)(void))
{
    fake_failed = NULL;
    if (setjmp(fake_return) == 0)
        handler();
    return fake_failed;
}
