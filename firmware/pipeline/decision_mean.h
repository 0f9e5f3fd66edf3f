/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DECISION_MEAN_H
#define PIPELINE_DECISION_MEAN_H

#include "pipeline/decision.h"

typedef struct {
    uint8_t next;   /* slot of the oldest scores */
    uint16_t quiet; /* decisions still suppressed */
} decision_mean_state_t;

/* The mean of each label's last scores takes the place of the newest one, rounded down, so that it reaches a
 * limit where the sum reaches `count` times the limit. Scores before the first count as the lowest, -128.
 * After a detection, a verdict that is not Unknown, the next `suppress` verdicts are Unknown with the lowest
 * score, and then the mean and the votes begin anew. */
typedef struct {
    uint8_t count;     /* scores of a mean, 1..100 */
    uint16_t suppress; /* decisions, 0..10000 */
    int8_t *history;   /* count * labels, slot after slot */
    int8_t *means;     /* labels */
    decision_mean_state_t *state;
} decision_mean_t;

verdict_t decision_mean(const decision_t *decision, const int8_t *scores);

#endif
