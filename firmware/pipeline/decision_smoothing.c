/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision_smoothing.h"

static void change(const decision_t *decision, smoothing_values_t values)
{
    const smoothing_t *smoothing = decision->smoothing;
    *smoothing->state = (smoothing_state_t){.changed = true, .values = values};
    decision_reset(decision);
}

bool smoothing_set_mean(const decision_t *decision, int32_t mean)
{
    const smoothing_t *smoothing = decision->smoothing;
    if (mean < 1 || mean > smoothing->most)
        return false;
    smoothing_values_t values = smoothing_values(smoothing);
    values.mean = (uint8_t)mean;
    change(decision, values);
    return true;
}

bool smoothing_set_suppress(const decision_t *decision, int32_t suppress)
{
    if (suppress < 0 || suppress > SMOOTHING_SUPPRESS_MAX)
        return false;
    smoothing_values_t values = smoothing_values(decision->smoothing);
    values.suppress = (uint16_t)suppress;
    change(decision, values);
    return true;
}
