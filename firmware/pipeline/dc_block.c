/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/dc_block.h"

#define LEVEL_BITS 14 /* of the level's fraction: it fits 30 bits, and a difference of two 31 */

void dc_block(const window_t *window, const int16_t *samples, size_t count, int16_t *out)
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
