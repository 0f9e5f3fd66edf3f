/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_TEXT_H
#define MLPERF_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Text to the runner, in pieces; CR LF ends a line, as the benchmark's own firmware does. */
void text_put(const char *text);
void text_part(const char *text, size_t size);
void text_number(int64_t value);
void text_thousandths(int64_t value); /* 12345: "12.345" */
void text_byte(uint8_t byte);         /* two digits, hexadecimal */

/* A line that begins and ends with these texts, a number between them. */
void text_line(const char *before, int64_t value, const char *after);

#endif
