/* SPDX-License-Identifier: Apache-2.0 */
#include "counting/chosen.h"
#include "device/several_models/members.h"

const pipeline_t *chosen_pipeline(uint32_t number)
{
    return app_members.member[number].pipeline;
}
