/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_READER_H
#define DEVICE_READER_H

#include "protocol_table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Received bytes -> lines. CR or LF ends a line, as terminal programs send one, the other or both: CR LF is a
 * line and an empty one. Any other byte is kept: what it means is not decided here. */

typedef enum {
    READER_MORE,     /* the line goes on */
    READER_LINE,     /* a line is in text, `used` bytes */
    READER_TOO_LONG, /* the line has just outgrown the buffer; reported once, the rest of it is skipped */
} reader_event_t;

typedef struct {
    char text[PROTOCOL_LINE_MAX];
    size_t used;
    bool ended, skipping;
} reader_t;

/* Takes one byte. After READER_LINE the text is valid until the next call. */
reader_event_t reader_take(reader_t *reader, uint8_t byte);

#endif
