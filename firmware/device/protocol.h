/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_PROTOCOL_H
#define DEVICE_PROTOCOL_H

#include "pipeline/pipeline.h"
#include "protocol_table.h"
#include <stddef.h>
#include <stdint.h>

/* The lines out, each one JSON object known by its first key. docs/protocol.md describes them. */

/* {"boot":...}: who is there. */
void protocol_boot(void);

/* {"error":"WORDS","detail":N,"reason":"REASON","code":C}; without a reason where the error has none. */
void protocol_error(const protocol_error_t *error, int32_t detail);

/* With a reason that is not always the same. */
void protocol_error_because(const protocol_error_t *error, int32_t detail, const char *reason);

/* {"error":"WORDS SUBJECT",...}: the subject comes from outside, is cut and made printable. */
void protocol_error_about(const protocol_error_t *error, const char *subject, size_t length, int32_t detail);

/* {"error":"WORD WORDS",...}, of a line that begins with this word. */
void protocol_error_of(const char *word, const protocol_error_t *error, uint32_t detail);

/* Errors since start, also those whose line was dropped. */
uint32_t protocol_errors(void);

/* {"ack":N,"room":R} */
void protocol_ack(uint32_t expected, uint32_t room);

/* {"set":"KEY","value":N} */
void protocol_set(const char *key, size_t length, int32_t value);

/* The result of one decided window. */
void protocol_decision(const pipeline_t *pipeline, const step_t *step);

/* Every stage of one window, a line each. */
void protocol_stages(const pipeline_t *pipeline, const step_t *step);

/* {"tensor":N,...} lines with all of a model's output. */
void protocol_tensor(const void *output, size_t size);

#endif
