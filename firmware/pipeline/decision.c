/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decision.h"
#include "pipeline/decision_smoothing.h"

void decision_reset(const decision_t *decision)
{
    decision->state->held = 0;
    decision->state->next = 0;
    decision_gap(decision);
}

void decision_gap(const decision_t *decision)
{
    decision->state->gap = true;
}

void decision_restore(const decision_t *decision)
{
    for (size_t i = 0; i < decision->labels; i++)
        decision->limits[i] = decision->initial_limits[i];
    decision->state->votes = decision->initial_votes;
    const smoothing_t *smoothing = decision->smoothing;
    if (smoothing != NULL)
        *smoothing->values = smoothing->initial;
    decision_reset(decision);
}

/* The class of more than half of the last `votes` verdicts, those not yet made counted as no class; or
 * Unknown. */
static uint8_t majority(const decision_state_t *state)
{
    for (size_t i = 0; i < state->held; i++) {
        unsigned count = 0;
        for (size_t j = 0; j < state->held; j++)
            count += state->recent[j] == state->recent[i];
        if (2 * count > state->votes)
            return state->recent[i];
    }
    return 0;
}

verdict_t decision_compare(const decision_t *decision, const int8_t *scores)
{
    size_t best = 0;
    int8_t largest = scores[0];
    for (size_t i = 1; i < decision->labels; i++) {
        if (scores[i] > largest) {
            largest = scores[i];
            best = i;
        }
    }
    const bool accepted = largest >= decision->limits[best];

    decision_state_t *state = decision->state;
    state->recent[state->next] = accepted ? (uint8_t)(best + 1) : 0;
    state->next = state->next + 1 < state->votes ? (uint8_t)(state->next + 1) : 0;
    if (state->held < state->votes)
        state->held++;
    return (verdict_t){.class_index = majority(state), .score = largest};
}

verdict_t decision_step(const decision_t *decision, const int8_t *scores)
{
    return decision->smooth != NULL ? decision->smooth(decision, scores) : decision_compare(decision, scores);
}

bool decision_set_threshold(const decision_t *decision, size_t label, int32_t limit)
{
    if (label >= decision->labels || limit < -decision->never || limit > decision->never)
        return false;
    decision->limits[label] = limit;
    return true;
}

bool decision_set_votes(const decision_t *decision, int32_t votes)
{
    if (votes < 1 || votes > DECISION_VOTES_MAX)
        return false;
    decision->state->votes = (uint8_t)votes;
    decision_reset(decision);
    return true;
}
