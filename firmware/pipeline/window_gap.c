/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/window_gap.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The intake may learn from these samples; where it leaves them, the window will write over. */
size_t window_gap(const window_t *window, const int16_t *samples, size_t count)
{
    window_state_t *state = window->state;
    const size_t skipped = smaller(state->gap, count);
    for (size_t done = 0; window->intake != NULL && done < skipped;) {
        const size_t piece = smaller(window->size, skipped - done);
        window->intake(window, samples + done, piece, window->samples);
        done += piece;
    }
    state->gap -= skipped;
    return skipped;
}
