/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision_mean.h"
#include <string.h>

/* All past scores are the lowest. */
static void forget(const decision_mean_t *mean, size_t labels)
{
    memset(mean->history, INT8_MIN, mean->smoothing.most * labels);
}

static int8_t mean_of(const decision_mean_t *mean, int32_t count, size_t label, size_t labels)
{
    int32_t sum = 0; /* above the lowest: 0..100 * 255 */
    for (int32_t i = 0; i < count; i++)
        sum += mean->history[(size_t)i * labels + label] - INT8_MIN;
    /* pipeline.toml has 1 to 100 */
    return (int8_t)(sum / count + INT8_MIN); /* NOLINT(clang-analyzer-core.DivideZero) */
}

verdict_t decision_mean(const decision_t *decision, const int8_t *scores)
{
    const decision_mean_t *mean = decision->smoothing;
    decision_mean_state_t *state = mean->state;
    const smoothing_values_t now = *mean->smoothing.values;
    const size_t labels = decision->labels;
    if (decision->state->gap) {
        decision->state->gap = false;
        *state = (decision_mean_state_t){0};
        forget(mean, labels);
    }
    if (state->quiet > 0) {
        state->quiet--;
        return (verdict_t){.class_index = 0, .score = INT8_MIN};
    }

    memcpy(mean->history + state->next * labels, scores, labels);
    state->next = state->next + 1 < now.mean ? (uint8_t)(state->next + 1) : 0;
    for (size_t label = 0; label < labels; label++)
        mean->means[label] = mean_of(mean, now.mean, label, labels);
    const verdict_t verdict = decision_compare(decision, mean->means);
    if (verdict.class_index != 0 && now.suppress > 0) {
        state->quiet = now.suppress;
        forget(mean, labels);
        memset(decision->state->recent, 0, sizeof decision->state->recent);
    }
    return verdict;
}
