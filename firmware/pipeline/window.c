/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/window.h"
#include <string.h>

void window_reset(const window_t *window)
{
    *window->state = (window_state_t){0};
}

size_t window_push(const window_t *window, const int16_t *samples, size_t count)
{
    window_state_t *state = window->state;
    if (state->taken) { /* the next window begins with this one's tail, or after a gap */
        state->filled = window->stride < window->size ? window->size - window->stride : 0;
        if (state->filled != 0)
            memmove(window->samples, window->samples + window->size - state->filled,
                    state->filled * sizeof *samples);
        state->gap = window->stride - (window->size - state->filled);
        state->start += window->stride;
        state->taken = false;
    }
    const size_t skipped = window->skip != NULL ? window->skip(window, samples, count) : 0;
    samples += skipped;
    count -= skipped;
    const size_t room = window->size - state->filled;
    const size_t taken = count < room ? count : room;
    if (window->intake != NULL)
        window->intake(window, samples, taken, window->samples + state->filled);
    else if (taken != 0)
        memcpy(window->samples + state->filled, samples, taken * sizeof *samples);
    state->filled += taken;
    return skipped + taken;
}

const int16_t *window_next(const window_t *window, uint64_t *start)
{
    if (window->state->filled < window->size || window->state->taken)
        return NULL;
    window->state->taken = true;
    *start = window->state->start;
    return window->samples;
}
