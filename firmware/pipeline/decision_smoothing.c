/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision_smoothing.h"

bool smoothing_set_mean(const decision_t *decision, int32_t mean)
{
    const smoothing_t *smoothing = decision->smoothing;
    if (mean < 1 || mean > smoothing->most)
        return false;
    smoothing->values->mean = (uint8_t)mean;
    decision_reset(decision);
    return true;
}

bool smoothing_set_suppress(const decision_t *decision, int32_t suppress)
{
    const smoothing_t *smoothing = decision->smoothing;
    if (suppress < 0 || suppress > SMOOTHING_SUPPRESS_MAX)
        return false;
    smoothing->values->suppress = (uint16_t)suppress;
    decision_reset(decision);
    return true;
}
