/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DECISION_MEAN_H
#define PIPELINE_DECISION_MEAN_H

#include "pipeline/decision_smoothing.h"

typedef struct {
    uint8_t next;   /* slot of the oldest scores */
    uint16_t quiet; /* decisions still suppressed */
} decision_mean_state_t;

/* The mean of each label's last scores takes the place of the newest one, rounded down, so that it reaches a
 * limit where the sum reaches so many times the limit. Scores before the first count as the lowest, -128.
 * After a detection, a verdict that is not Unknown, the next `suppress` verdicts are Unknown with the lowest
 * score, and then the mean and the votes begin anew. */
typedef struct {
    smoothing_t smoothing;
    int8_t *history; /* smoothing.most * labels, slot after slot */
    int8_t *means;   /* labels */
    decision_mean_state_t *state;
} decision_mean_t;

verdict_t decision_mean(const decision_t *decision, const int8_t *scores);

#endif
