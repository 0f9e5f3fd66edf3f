/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DECISION_SMOOTHING_H
#define PIPELINE_DECISION_SMOOTHING_H

#include "pipeline/decision.h"

#define SMOOTHING_SUPPRESS_MAX 10000

typedef struct {
    uint8_t mean;      /* last decisions of a mean, from 1 on */
    uint16_t suppress; /* decisions after a detection, 0..SMOOTHING_SUPPRESS_MAX */
} smoothing_values_t;

/* What may change while the device runs, of what a decision's `smoothing` points to, which begins with this:
 * decision_mean.h, decision_anomaly.h. */
typedef struct {
    smoothing_values_t initial; /* of the build */
    uint8_t most;               /* decisions that a mean has room for, 1..100 */
    smoothing_values_t *values; /* in force */
} smoothing_t;

/* Of a decision that is smoothed; mean and quiet begin anew, and past verdicts are forgotten. false: out of
 * range, unchanged. */
bool smoothing_set_mean(const decision_t *decision, int32_t mean);
bool smoothing_set_suppress(const decision_t *decision, int32_t suppress);

#endif
