/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COUNTING_COUNTER_H
#define COUNTING_COUNTER_H

#include <stddef.h>
#include <stdint.h>

/* Instructions between two moments, for an emulator whose time is the number of instructions executed. */

/* Starts a timer of 32 bits that counts the emulated time; no interrupt is on. */
void counter_start(void);

/* Ticks since the start, wrapping. What lies between two calls is counted, whatever it is: an emulator's
 * trace finds the calls by this function's address. */
uint32_t counter_now(void);

/* A line "NAME TICKS", by polling the port's serial line. */
void counter_tell(const char *name, uint32_t ticks);

#endif
