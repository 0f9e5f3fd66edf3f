/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_SEVERAL_MODELS_MEMBERS_H
#define DEVICE_SEVERAL_MODELS_MEMBERS_H

#include "pipeline/member.h"

/* What the generator hands to the device beside `app`, whose pipeline is that of the first one. */
typedef struct {
    size_t count;
    const member_t *member;
} app_members_t;

extern const app_members_t app_members;

#endif
