/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the smallest arena a model runs in: the image of a build that emulates it once, never one that ships.
 *
 * TFLM's arena_used_bytes() tells what is used when all is allocated; on the way there it may need more. So
 * sizes are tried, in steps of the arena's alignment, from what is used on: in less TFLM may write over its
 * own records and not say so. In a little more it may, too, and then jump anywhere: the fault resets the
 * board, and the next size is tried. What it computes in a size is held to what it computed in the whole
 * arena. */
#include "nn/model.h"
#include "port/port.h"
#include "tflm/engine.h"
#include "tflm/measure/measured.h"
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#define STEP  16u
#define TRIES 4096u
#define END   "{\"end\":0}\n"
#define DIRT  0xA5 /* an arena of a device is not zero either */

static void say(const char *text, size_t size)
{
    while (size > 0) {
        const size_t room = port_write_capacity();
        const size_t count = size < room ? size : room;
        if (count > 0)
            port_write(text, count);
        text += count;
        size -= count;
    }
}

static void say_text(const char *text)
{
    say(text, strlen(text));
}

static void say_number(size_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    say(digits + at, sizeof digits - at);
}

#define WHOLE 0x54464C57u /* the arena as a whole is tried */
#define SIZES 0x54464C53u /* sizes are tried */

/* What outlasts the reset by a fault. */
static struct {
    uint32_t state; /* WHOLE, SIZES, or whatever the RAM held */
    uint32_t size, used, tries;
    uint32_t computed; /* of the output in the whole arena: a hash */
} progress __attribute__((section(".noinit")));

static bool quiet;    /* while sizes are tried that are meant to fail */
static jmp_buf trial; /* where one begins */

void tflm_report(int error, const char *what)
{
    if (quiet)
        return;
    say_text("{\"error\":");
    say_number((size_t)error);
    say_text(",\"reason\":\"");
    for (; *what != '\0'; what++)
        if (*what != '"' && *what != '\\' && *what >= ' ')
            say(what, 1);
    say_text("\"}\n");
}

/* A library with assertions stops at one where the arena is too small: on to the next size then. */
void tflm_halt(const char *what)
{
    if (quiet)
        longjmp(trial, TFLM_HALT);
    tflm_report(TFLM_HALT, what);
    say_text(END);
    for (;;)
        port_sleep();
}

/* Starts and runs with this much of the arena; 0 or the engine's error. */
static int run_in(size_t size)
{
    tflm_t tflm = *measured.tflm;
    tflm.arena_size = size;
    memset(tflm.arena, DIRT, measured.tflm->arena_size);
    memset(measured.input, 0, tflm.input_size);
    const int halted = setjmp(trial);
    if (halted != 0)
        return halted;
    const int error = tflm_start(&tflm);
    return error != TFLM_OK ? error : tflm_run(&tflm, measured.input, measured.output);
}

/* FNV-1a of the output. */
static uint32_t computed(void)
{
    const uint8_t *bytes = measured.output;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < measured.tflm->output_size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* The sizes from progress.size on, up to the first in which the model runs. */
static bool found(void)
{
    for (; progress.tries < TRIES && progress.size <= measured.tflm->arena_size; progress.tries++) {
        if (run_in(progress.size) == TFLM_OK && computed() == progress.computed)
            return true;
        progress.size += STEP;
    }
    return false;
}

static bool runs_at_all(void)
{
    if (progress.state == WHOLE) {
        progress.state = 0;
        tflm_report(TFLM_RUN, "it ends in a fault of the processor");
        return false;
    }
    progress.state = WHOLE;
    const bool runs = run_in(measured.tflm->arena_size) == TFLM_OK;
    progress.state = 0;
    if (!runs)
        return false;
    progress.used = tflm_arena_used(measured.tflm);
    progress.size = (progress.used + STEP - 1) / STEP * STEP;
    progress.tries = 0;
    progress.computed = computed();
    progress.state = SIZES;
    return true;
}

static void tell(void)
{
    quiet = true;
    const bool fits = found();
    quiet = false;
    progress.state = 0;
    if (!fits) {
        tflm_report(TFLM_ARENA, "no size found");
        return;
    }
    say_text("{\"arena\":");
    say_number(progress.size);
    say_text(",\"used\":");
    say_number(progress.used);
    say_text("}\n");
}

int main(void)
{
    port_start();
    const bool faulted = progress.state == SIZES;
    if (faulted) {
        progress.size += STEP;
        progress.tries++;
    }
    if (faulted || runs_at_all())
        tell();
    say_text(END);
    for (;;)
        port_sleep();
}
