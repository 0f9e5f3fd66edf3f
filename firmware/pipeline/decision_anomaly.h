/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DECISION_ANOMALY_H
#define PIPELINE_DECISION_ANOMALY_H

#include "pipeline/classifier.h"
#include "pipeline/decision_smoothing.h"

#define ANOMALY_NEVER 8388607 /* above every error: (2 * 255)^2 * 32 is the largest */

/* For a model that learnt to give back what it is given, an autoencoder: the score is its mean squared error,
 * in 1/32 of the square of a step, the larger one of input and output, rounded down:
 *
 *     d_i   = input_factor * input_i - output_factor * output_i + offset      in 1/4096 of that step
 *     error = sum d_i^2 / (size * 2^19)
 *
 * Of the last errors the mean is compared, rounded down; errors before the first count as 0. After a
 * detection, a verdict that is not Unknown, the next `suppress` verdicts are Unknown with an error of 0, and
 * then the mean and the votes begin anew. */
typedef struct {
    uint8_t next;   /* slot of the oldest error */
    uint16_t quiet; /* decisions still suppressed */
} decision_anomaly_state_t;

typedef struct {
    smoothing_t smoothing;
    const classifier_t *classifier; /* whose input and output are compared */
    const cascade_t *cascade;
    uint32_t size;                       /* values of input and output, 1..2^20 */
    int32_t input_factor, output_factor; /* 0..4096 */
    int32_t offset;                      /* of the zero points */
    const decision_t *accepted;          /* votes over what is accepted: of one label, by a score of 1 */
    int32_t *history;                    /* smoothing.most */
    decision_anomaly_state_t *state;
} decision_anomaly_t;

verdict_t decision_anomaly(const decision_t *decision, const int8_t *scores);

#endif
