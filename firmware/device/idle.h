/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_IDLE_H
#define DEVICE_IDLE_H

#include <stdint.h>

/* Sleep, and how much of the time is not slept. */

void idle_start(void);

/* port_sleep(), its time counted. */
void idle_sleep(void);

/* Percent of the time awake since the last call, rounded up; at least every 2^32 ticks must see an
 * idle_sleep(). */
uint32_t idle_awake(void);

#endif
