#include "pipeline/window.h"
#include <string.h>

#define LEVEL_BITS 14 /* of the level's fraction: it fits 30 bits, and a difference of two 31 */

/* y = x - level, saturated, then level += (x - level) / 2^dc_block; every quotient rounded down. */
static void without_level(const window_t *window, const int16_t *samples, size_t count, int16_t *out)
{
    int32_t level = window->state->level;
    for (size_t i = 0; i < count; i++) {
        const int32_t difference = samples[i] - (level >> LEVEL_BITS);
        out[i] = (int16_t)(difference > INT16_MAX   ? INT16_MAX
                           : difference < INT16_MIN ? INT16_MIN
                                                    : difference);
        level += (samples[i] * (1 << LEVEL_BITS) - level) >> window->dc_block;
    }
    window->state->level = level;
}

void window_reset(const window_t *window)
{
    *window->state = (window_state_t){0};
}

size_t window_push(const window_t *window, const int16_t *samples, size_t count)
{
    window_state_t *state = window->state;
    if (state->taken) { /* the next window begins with this one's tail */
        state->filled = window->size - window->stride;
        memmove(window->samples, window->samples + window->stride, state->filled * sizeof *samples);
        state->start += window->stride;
        state->taken = false;
    }
    const size_t room = window->size - state->filled;
    const size_t taken = count < room ? count : room;
    if (window->dc_block != 0)
        without_level(window, samples, taken, window->samples + state->filled);
    else if (taken != 0)
        memcpy(window->samples + state->filled, samples, taken * sizeof *samples);
    state->filled += taken;
    return taken;
}

const int16_t *window_next(const window_t *window, uint64_t *start)
{
    if (window->state->filled < window->size || window->state->taken)
        return NULL;
    window->state->taken = true;
    *start = window->state->start;
    return window->samples;
}
