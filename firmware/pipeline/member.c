/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/member.h"

void member_reset(const member_t *member)
{
    *member->state = (member_state_t){.detected = 0, .since = UINT32_MAX};
}

/* Once a window. */
static bool awake(const member_t *member)
{
    if (member->waits_for == NULL)
        return true;
    const uint8_t detected = member->waits_for->state->detected;
    member_state_t *state = member->state;
    if (detected != 0 && (member->awaits == 0 || detected == member->awaits))
        state->since = 0;
    else if (state->since < UINT32_MAX)
        state->since++;
    return state->since < member->stays;
}

void member_step(const member_t *member, const step_t *heard, step_t *step)
{
    const bool runs = awake(member);
    *step = (step_t){
        .start = heard->start,
        .sequence = heard->sequence,
        .gate_open = heard->gate_open && runs,
        .values = heard->values,
        .features = heard->features,
    };
    pipeline_classify(member->pipeline, step);
    member_stepped(member, step);
}

void member_stepped(const member_t *member, const step_t *step)
{
    member->state->detected = step->decided ? step->verdict.class_index : 0;
}
