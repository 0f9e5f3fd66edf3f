/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_COMMAND_H
#define DEVICE_COMMAND_H

#include "protocol_table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One received line, understood. docs/protocol.md has the words. */
typedef enum {
    COMMAND_NONE, /* an empty line */
    COMMAND_STATUS,
    COMMAND_BOOT,
    COMMAND_SET,    /* key, value */
    COMMAND_STAGES, /* value 0 or 1 */
    COMMAND_CYCLES,
    COMMAND_REPLAY,
    COMMAND_LIVE,
    COMMAND_RESET,
    COMMAND_AUDIO,   /* number, payload */
    COMMAND_TENSOR,  /* number, payload */
    COMMAND_UNKNOWN, /* key: the first word */
    COMMAND_USAGE,   /* a known word with arguments it does not take; usage */
} command_kind_t;

typedef struct {
    command_kind_t kind;
    const char *key; /* not terminated; in the line */
    size_t key_length;
    int32_t value;
    uint32_t number;
    const uint8_t *payload; /* in the line's memory */
    size_t payload_size;
    const protocol_error_t *fault; /* of an audio or tensor line: form, checksum or payload; NULL: none */
    const char *usage;
} command_t;

/* Understands a line of any bytes. A payload is decoded in place, over the line's own text. */
void command_parse(char *line, size_t length, command_t *command);

#endif
