/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_TRANSFER_H
#define DEVICE_TRANSFER_H

#include "device/command.h"
#include "protocol_table.h"
#include <stdbool.h>
#include <stdint.h>

/* Numbered, checksummed, acknowledged lines: the order is kept, whatever the serial line does. */
typedef struct {
    const char *word;  /* "audio" or "tensor" */
    uint32_t unit;     /* bytes that an ack counts as one */
    uint32_t expected; /* number of the next line */
} transfer_t;

/* true: the line is the next one and whole; take its payload, then call transfer_take().
 * false: answered already, with an error where it was not a repetition of the line before. */
bool transfer_check(const transfer_t *transfer, const command_t *command);

/* The line was taken: the next number is expected, and the host is told. */
void transfer_take(transfer_t *transfer);

/* Tells the host the number expected and how much may be under way. */
void transfer_ack(const transfer_t *transfer);

/* An error of this transfer's lines, and what is expected instead. */
void transfer_refuse(const transfer_t *transfer, const protocol_error_t *error, uint32_t detail);

#endif
