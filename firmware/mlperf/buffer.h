/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_BUFFER_H
#define MLPERF_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* The words of `db`: fills the buffer from which inferences take their input, and prints it. */
void buffer_command(const char *word, const char *argument);

/* Bytes that `db` has filled last. */
size_t buffer_filled(void);

/* false: part of an input has come, the rest of it has not. */
bool buffer_whole(void);

#endif
