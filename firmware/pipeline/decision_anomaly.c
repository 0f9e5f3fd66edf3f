/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision_anomaly.h"
#include <string.h>

static int32_t error_of(const decision_anomaly_t *anomaly, const int8_t *input, const int8_t *output)
{
    uint64_t sum = 0; /* |d| < 2^21: below 2^62 */
    for (uint32_t i = 0; i < anomaly->size; i++) {
        const int32_t d =
            anomaly->input_factor * input[i] - anomaly->output_factor * output[i] + anomaly->offset;
        sum += (uint64_t)((int64_t)d * d);
    }
    return (int32_t)((sum >> 19) / anomaly->size); /* NOLINT(clang-analyzer-core.DivideZero) */
}

static int32_t mean_of(const decision_anomaly_t *anomaly, uint32_t count)
{
    uint32_t sum = 0; /* at most 100 * 2^23 */
    for (size_t i = 0; i < count; i++)
        sum += (uint32_t)anomaly->history[i];
    return (int32_t)(sum / count); /* NOLINT(clang-analyzer-core.DivideZero) */
}

static void forget(const decision_anomaly_t *anomaly)
{
    memset(anomaly->history, 0, anomaly->smoothing.most * sizeof *anomaly->history);
}

/* 0..2^23 - 1 */
static verdict_t verdict_of(uint32_t class_index, int32_t score)
{
    return (verdict_t){.class_index = class_index & 0xff, .score = score & ANOMALY_NEVER};
}

verdict_t decision_anomaly(const decision_t *decision, const int8_t *scores)
{
    const decision_anomaly_t *anomaly = decision->smoothing;
    decision_anomaly_state_t *state = anomaly->state;
    const smoothing_values_t now = *anomaly->smoothing.values;
    if (decision->state->gap) {
        decision->state->gap = false;
        *state = (decision_anomaly_state_t){0};
        forget(anomaly);
    }
    if (state->quiet > 0) {
        state->quiet--;
        return verdict_of(0, 0);
    }

    const int8_t *input = classifier_input(anomaly->classifier, anomaly->cascade);
    anomaly->history[state->next] = error_of(anomaly, input, scores);
    state->next = state->next + 1 < now.mean ? (uint8_t)(state->next + 1) : 0;
    const int32_t mean = mean_of(anomaly, now.mean);
    const int8_t accepted = mean >= decision->limits[0];
    const uint32_t class_index = decision_compare(anomaly->accepted, &accepted).class_index;
    if (class_index != 0 && now.suppress > 0) {
        state->quiet = now.suppress;
        forget(anomaly);
        memset(decision->state->recent, 0, sizeof decision->state->recent);
    }
    return verdict_of(class_index, mean);
}
