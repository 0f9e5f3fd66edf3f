/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_STREAM_H
#define MLPERF_STREAM_H

#include <stdbool.h>

/* The streaming task: sound through the app's own pipeline, a decision a window. Before the first sound lie
 * silence and frames of zeros, as in the benchmark's reference, so that the first stride of sound decides. */

/* Everything empty; 0, or the engine's error. */
int stream_start(void);

/* The commands of this task; false: `word` is none of them. */
bool stream_command(const char *word);

/* Takes what the microphone has brought since `start`; true when there was something. */
bool stream_poll(void);

#endif
