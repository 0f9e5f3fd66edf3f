/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the smallest arena a model runs in: the image of a build that emulates it once, never one that ships.
 *
 * TFLM's arena_used_bytes() tells what is used when all is allocated; on the way there it may need more. So
 * sizes are tried, in steps of the arena's alignment. */
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

static bool smallest(size_t used, size_t *size)
{
    *size = (used + STEP - 1) / STEP * STEP;
    size_t tries = 0;
    if (run_in(*size) == TFLM_OK) {
        while (*size > STEP && run_in(*size - STEP) == TFLM_OK && tries++ < TRIES)
            *size -= STEP;
    } else {
        do
            *size += STEP;
        while (run_in(*size) != TFLM_OK && *size < measured.tflm->arena_size && tries++ < TRIES);
    }
    return tries < TRIES;
}

int main(void)
{
    port_start();
    if (run_in(measured.tflm->arena_size) == TFLM_OK) {
        const size_t used = tflm_arena_used(measured.tflm);
        size_t size;
        quiet = true;
        const bool found = smallest(used, &size);
        quiet = false;
        if (found) {
            say_text("{\"arena\":");
            say_number(size);
            say_text(",\"used\":");
            say_number(used);
            say_text("}\n");
        } else {
            tflm_report(TFLM_ARENA, "no size found");
        }
    }
    say_text(END);
    for (;;)
        port_sleep();
}
