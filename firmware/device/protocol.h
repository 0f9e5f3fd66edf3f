#ifndef DEVICE_PROTOCOL_H
#define DEVICE_PROTOCOL_H

#include "pipeline/pipeline.h"
#include <stddef.h>
#include <stdint.h>

/* The lines out, each one JSON object told by its first key. docs/protocol.md describes them. */

#define PROTOCOL_SUBJECT_MAX  40  /* characters of a received line that an error repeats */
#define PROTOCOL_TENSOR_CHUNK 192 /* bytes of a model's output in a line */

/* {"boot":...}: who is there. */
void protocol_boot(void);

/* {"error":"WHAT SUBJECT","detail":N,"reason":"REASON"}; the subject comes from outside, is cut and made
 * printable; NULL: none. reason NULL: none. */
void protocol_error(const char *what, const char *subject, size_t length, int64_t detail, const char *reason);
void protocol_fault(const char *what, int32_t detail, const char *reason); /* the same without a subject */
uint32_t protocol_errors(void); /* errors since start, also those whose line was dropped */

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
