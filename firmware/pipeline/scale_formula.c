/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/scale_formula.h"

void scale_formula_frame(const scale_formula_t *scale, const int32_t *values, uint8_t *features)
{
    for (size_t i = 0; i < scale->count; i++) {
        const uint32_t feature = ((uint32_t)values[i] * scale->factor + scale->addend) / scale->divisor;
        features[i] = (uint8_t)(feature < 255 ? feature : 255);
    }
}
