/* SPDX-License-Identifier: Apache-2.0 */
/* A model whose scores tell which frames it saw: a hash of the last FRAMES frames, oldest first, a byte a
 * label. What it was asked is logged: r(un), a(dvance), f(inish). */
#include HEADER
#ifdef STALL_TICKS /* each run takes at least so many ticks of the port: an overloaded device */
#include "port/port.h"
#endif
#include <string.h>

arena_t ARENA[ARENA_BLOCKS(ARENA_BYTES)];

char fake_log[1 << 16];
size_t fake_calls;
int fake_error;       /* of the next run */
int fake_start_error; /* of the next start */

static int8_t history[FRAMES][CEPSTRA];

static void note(char call)
{
    if (fake_calls < sizeof fake_log)
        fake_log[fake_calls++] = call;
}

static int start(void)
{
    return fake_start_error;
}

static void reset(void)
{
    memset(history, 85, sizeof history);
    note('0');
}

static void finish_without_note(void *output)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t j = 0; j < CEPSTRA; j++)
            hash = (hash ^ (uint8_t)history[i][j]) * 16777619U;
    uint8_t *scores = output;
    for (size_t i = 0; i < LABELS; i++, hash = hash * 16777619U + 1)
        scores[i] = (uint8_t)(hash >> 24);
}

static int run(const void *input, void *output)
{
    note('r');
#ifdef STALL_TICKS
    const uint32_t begin = port_ticks();
    while (port_ticks() - begin < STALL_TICKS) {
    }
#endif
    const int8_t *values = input;
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t j = 0; j < CEPSTRA; j++)
            history[i][j] = TRANSPOSED ? values[j * FRAMES + i] : values[i * CEPSTRA + j];
    finish_without_note(output);
    return fake_error;
}

static void advance(const int8_t *frame)
{
    note('a');
    memmove(history[0], history[1], sizeof history - sizeof history[0]);
    memcpy(history[FRAMES - 1], frame, CEPSTRA);
}

static void finish(void *output)
{
    note('f');
    finish_without_note(output);
}

const model_t MODEL = {
    .name = "fake",
    .input_size = FRAMES * CEPSTRA,
    .output_size = LABELS,
    .start = start,
    .reset = reset,
    .run = run,
    .advance = INCREMENTAL ? advance : NULL,
    .finish = INCREMENTAL ? finish : NULL,
    .catch_up = CATCH_UP,
};
