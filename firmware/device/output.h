/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_OUTPUT_H
#define DEVICE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines to the port, whole or not at all. */

/* true: a line waits for room, until the port has taken nothing for a second. false: it goes out at once or
 * not. */
void output_set_blocking(bool blocking);

/* One line with its LF; size 0 is a line that could not be put together. What does not go out is counted. */
void output_line(const char *line, size_t size);

/* Lines that did not go out since start. */
uint32_t output_dropped(void);

#endif
