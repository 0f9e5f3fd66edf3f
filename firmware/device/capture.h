/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_CAPTURE_H
#define DEVICE_CAPTURE_H

#include "device/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples to the host, beside the decisions, which come first: a line of samples for which the serial line
 * has no room is dropped and counted. device/capture/ is in images whose pipeline.toml says [device] capture
 * = true, device/no_capture/ in all others, of which nothing is left when they are linked. */

/* A received line; true: it was the word `capture`, and is answered. */
bool capture_obey(const char *line, size_t length);

/* All sound on its way into the pipeline; true: it is for the host alone. */
bool capture_take(const int16_t *samples, size_t count);

/* Members of the status line. */
void capture_status(json_t *json);

#endif
