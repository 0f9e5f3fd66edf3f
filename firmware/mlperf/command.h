/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_COMMAND_H
#define MLPERF_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Received bytes -> commands: words with blanks between them, '%' at the end. CR and LF mean nothing, so that
 * a person may type commands too. */

#define COMMAND_WORDS 3

typedef enum {
    COMMAND_MORE,     /* the command goes on */
    COMMAND_COMPLETE, /* its words are in `words` */
    COMMAND_TOO_LONG, /* it did not fit, and is over now */
    COMMAND_TOO_MANY, /* more words than any command has */
} command_event_t;

typedef struct {
    char *text; /* `size` bytes */
    size_t size, used;
    bool too_long;
    const char *words[COMMAND_WORDS]; /* "" from the first on that is not there; valid until the next byte */
} command_t;

command_event_t command_take(command_t *command, uint8_t byte);

/* A number of up to nine decimal digits; -1: it is none. */
int32_t command_number(const char *word);

/* Two hexadecimal digits as a byte; -1: they are none. */
int32_t command_byte(const char *digits);

#endif
