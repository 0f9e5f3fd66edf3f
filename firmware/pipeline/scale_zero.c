/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/scale_zero.h"

/* With r the range and d = x - minimum, 255 d / r is whole where r divides 255 d; else it is rounded up. */
void scale_zero_frame(const scale_t *scale, const int32_t *cepstra, uint8_t *features)
{
    const uint32_t range = (uint32_t)scale->maximum - (uint32_t)scale->minimum; /* 1..2^28 */
    scale_frame(scale, cepstra, features);
    for (size_t i = 0; i < scale->count; i++) {
        if (features[i] >= 128 || cepstra[i] <= scale->minimum)
            continue;
        const uint32_t distance = (uint32_t)cepstra[i] - (uint32_t)scale->minimum;
        features[i] = (uint8_t)(features[i] + (255 * (uint64_t)distance != (uint64_t)features[i] * range));
    }
}
