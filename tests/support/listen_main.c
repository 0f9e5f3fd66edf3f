/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c with a port, a pipeline and a protocol that a test plays: time, what the microphone says, and what
 * the image reported. */
#include "device/app.h"
#include "device/listen.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"
#include <setjmp.h>

void play(uint32_t ticks, bool stuck, const char *cause);
int poll(void);
uint32_t starts(void);
uint32_t reported(void);
uint32_t restarts(void);

const uint32_t port_tick_hz = 73728000; /* of the ports, the one whose ticks wrap first */

static const pipeline_t pipeline = {.sample_rate = 16000};
const app_t app = {.pipeline = &pipeline};

static uint32_t ticks, audio_starts, audio_started, faults;
static bool audio_stuck;
static const char *reset_cause;
static jmp_buf failed;

void play(uint32_t now, bool stuck, const char *cause)
{
    ticks = now;
    audio_stuck = stuck;
    reset_cause = cause;
}

/* 1: the chip was reset. */
int poll(void)
{
    if (setjmp(failed) != 0)
        return 1;
    listen_poll();
    return 0;
}

uint32_t starts(void)
{
    return audio_starts;
}

uint32_t reported(void)
{
    return faults;
}

uint32_t restarts(void)
{
    return listen_counts().restarts;
}

uint32_t port_ticks(void)
{
    return ticks;
}

bool port_audio_start(uint32_t sample_rate)
{
    (void)sample_rate;
    audio_starts++;
    audio_started = ticks;
    return true;
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    (void)samples;
    (void)count;
    return 0;
}

uint32_t port_audio_lost(void)
{
    return 0;
}

const protocol_error_t *port_audio_fault(void)
{
    return audio_stuck && ticks != audio_started ? &error_microphone_stuck : NULL; /* it takes time to show */
}

const char *port_reset_cause(void)
{
    return reset_cause;
}

_Noreturn void port_fail(const protocol_error_t *error)
{
    (void)error;
    longjmp(failed, 1);
}

void output_set_blocking(bool blocking)
{
    (void)blocking;
}

void protocol_error(const protocol_error_t *error, int32_t detail)
{
    (void)error;
    (void)detail;
    faults++;
}

void protocol_stages(const pipeline_t *of, const step_t *step)
{
    (void)of;
    (void)step;
}

void protocol_decision(const pipeline_t *of, const step_t *step)
{
    (void)of;
    (void)step;
}

void models_reset(void)
{
}

void models_step(const step_t *step)
{
    (void)step;
}

size_t pipeline_push(const pipeline_t *of, const int16_t *samples, size_t count)
{
    (void)of;
    (void)samples;
    return count;
}

bool pipeline_step(const pipeline_t *of, step_t *step)
{
    (void)of;
    (void)step;
    return false;
}
