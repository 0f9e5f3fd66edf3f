/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_INFER_H
#define MLPERF_INFER_H

/* `infer N W`: W inferences that nobody measures, N between two timestamps, then the results. */
void infer_command(const char *count, const char *warmups);

/* The line with what the last inference found. */
void infer_results(void);

/* The line with the time in microseconds; in the energy mode the pin. */
void infer_timestamp(void);

#endif
