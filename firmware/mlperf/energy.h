/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_ENERGY_H
#define MLPERF_ENERGY_H

#include <stdbool.h>

/* The benchmark's energy mode: pins in place of timestamps that are text. The pins are read by a power
 * monitor (timestamp: it falls, and rises again) and by the benchmark's interface board (processing: high
 * from the first computation of a window to the last; detected: it falls for each wake word). In the
 * performance mode none of these does anything. */

/* Rate of the line, levels of the pins at rest. false: the line does not have that rate. */
bool energy_start(void);

void energy_timestamp(void);

/* Waits until every answer has gone out: what the serial line takes is not measured. */
void energy_quiet(void);

/* The streaming task: it begins to listen, computes a window, has heard the wake word. */
void energy_listen(void);
void energy_processing(bool busy);
void energy_detected(void);

#endif
