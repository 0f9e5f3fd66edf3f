/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_CLOCK_H
#define MLPERF_CLOCK_H

#include <stdint.h>

/* Microseconds since the first call, by the board's ticks; at least every 2^32 ticks must see a call. */
uint64_t clock_micros(void);

#endif
