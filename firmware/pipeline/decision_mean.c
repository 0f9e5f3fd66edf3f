/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision_mean.h"
#include <string.h>

/* All scores, past ones too, are the lowest. */
static void forget(const decision_t *decision, const decision_mean_t *mean)
{
    memset(mean->history, INT8_MIN, mean->count * decision->labels);
    memset(mean->means, INT8_MIN, decision->labels);
}

static int8_t mean_of(const decision_mean_t *mean, size_t label, size_t labels)
{
    int32_t sum = 0; /* above the lowest: 0..100 * 255 */
    for (size_t i = 0; i < mean->count; i++)
        sum += mean->history[i * labels + label] - INT8_MIN;
    /* pipeline.toml has 2 to 100 */
    return (int8_t)(sum / mean->count + INT8_MIN); /* NOLINT(clang-analyzer-core.DivideZero) */
}

const int8_t *decision_mean(const decision_t *decision, const int8_t *scores)
{
    const decision_mean_t *mean = decision->smoothing;
    decision_mean_state_t *state = mean->state;
    const size_t labels = decision->labels;
    if (decision->state->held == 0) { /* the first decision after a reset */
        *state = (decision_mean_state_t){0};
        forget(decision, mean);
    }
    if (state->quiet > 0) {
        state->quiet--;
        forget(decision, mean);
        return mean->means;
    }

    memcpy(mean->history + state->next * labels, scores, labels);
    state->next = state->next + 1 < mean->count ? (uint8_t)(state->next + 1) : 0;
    for (size_t label = 0; label < labels; label++) {
        mean->means[label] = mean_of(mean, label, labels);
        if (mean->means[label] >= decision->limits[label])
            state->quiet = mean->suppress;
    }
    return mean->means;
}
