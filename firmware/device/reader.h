#ifndef DEVICE_READER_H
#define DEVICE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Received bytes -> lines. LF ends a line, CR is ignored, any other byte is kept: what it means is not
 * decided here. */

#define READER_LINE_MAX 511 /* bytes of the longest line, its LF not counted */

typedef enum {
    READER_MORE,     /* the line goes on */
    READER_LINE,     /* a line is in text, `used` bytes */
    READER_TOO_LONG, /* the line has just outgrown the buffer; told once, the rest of it is skipped */
} reader_event_t;

typedef struct {
    char text[READER_LINE_MAX];
    size_t used;
    bool ended, skipping;
} reader_t;

/* Takes one byte. After READER_LINE the text is valid until the next call. */
reader_event_t reader_take(reader_t *reader, uint8_t byte);

#endif
