/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/cascade.h"
#include <string.h>

void cascade_reset(const cascade_t *cascade)
{
    *cascade->state = (cascade_state_t){.newest = (uint32_t)cascade->frames - 1};
}

void cascade_push(const cascade_t *cascade, const int8_t *frame)
{
    cascade_state_t *state = cascade->state;
    state->newest = state->newest + 1 < cascade->frames ? state->newest + 1 : 0;
    memcpy(cascade->ring + state->newest * cascade->frame_size, frame, cascade->frame_size);
    state->count++;
    state->turn = state->turn + 1 < cascade->every ? state->turn + 1 : 0;
    if (state->filled < cascade->frames)
        state->filled++;
}

bool cascade_ready(const cascade_t *cascade)
{
    return cascade->state->filled == cascade->frames && cascade->state->turn == 0;
}

uint32_t cascade_count(const cascade_t *cascade)
{
    return cascade->state->count;
}

void cascade_decided(const cascade_t *cascade)
{
    if (!cascade->slide)
        cascade->state->filled = 0;
}

const int8_t *cascade_frame(const cascade_t *cascade, size_t age)
{
    const size_t newest = cascade->state->newest;
    const size_t slot = age <= newest ? newest - age : newest + cascade->frames - age;
    return cascade->ring + slot * cascade->frame_size;
}

void cascade_copy(const cascade_t *cascade, int8_t *frames)
{
    const size_t newer =
        (cascade->state->newest + 1) * cascade->frame_size; /* bytes from slot 0 to the newest */
    const size_t older = cascade->frames * cascade->frame_size - newer;
    memcpy(frames, cascade->ring + newer, older);
    memcpy(frames + older, cascade->ring, newer);
}
