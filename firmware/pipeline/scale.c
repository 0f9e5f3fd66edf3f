/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/scale.h"

/* With r the range, d = x - minimum < r and m the multiplier, 255 2^56 <= m r < 255 2^56 + r. So d m / 2^56
 * is at least 255 d / r and exceeds it by less than d / 2^56 < 1 / r (r <= 2^28): no multiple of 1 / r, where
 * the quotient could become whole, lies between. d m < 255 2^56 + d fits 64 bits. */
void scale_frame(const scale_t *scale, const int32_t *cepstra, uint8_t *features)
{
    for (size_t i = 0; i < scale->count; i++) {
        const int32_t x = cepstra[i];
        if (x <= scale->minimum)
            features[i] = 0;
        else if (x >= scale->maximum)
            features[i] = 255;
        else
            features[i] = (uint8_t)(((uint32_t)x - (uint32_t)scale->minimum) * scale->multiplier >> 56);
    }
}
