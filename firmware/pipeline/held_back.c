/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/held_back.h"

void held_back(const pipeline_t *pipeline)
{
    if (cascade_count(pipeline->cascade) == 0) /* nothing was heard since the last time, or since the reset */
        return;
    cascade_reset(pipeline->cascade);
    classifier_reset(pipeline->classifier);
    decision_gap(pipeline->decision);
}
