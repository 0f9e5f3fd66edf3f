/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_JSON_H
#define DEVICE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes one JSON object as one line into a buffer: members in the order of the calls, no spaces, LF at the
 * end. What does not fit makes json_end() return 0; the buffer is never overrun. */
typedef struct {
    char *text;
    size_t size, used;
    bool full;  /* something did not fit */
    bool comma; /* the next member or item needs one */
} json_t;

void json_begin(json_t *json, char *text, size_t size);

/* Bytes of the line with its LF, or 0 when it did not fit. */
size_t json_end(json_t *json);

void json_number(json_t *json, const char *key, int64_t value);
void json_base64(json_t *json, const char *key, const void *bytes, size_t size);

void json_list(json_t *json, const char *key);
void json_list_string(json_t *json, const char *value);
void json_list_number(json_t *json, int32_t value);
void json_list_end(json_t *json);

/* Members as `format` shows them, commas between them and before them too; one call takes far less code than
 * one a member. Values in their order, each of exactly this type:
 *   %s  const char *: a text as json_text() writes it, without quotes
 *   %t  const char *, size_t: the same, with a length
 *   %u  uint32_t
 *   %d  int32_t
 *   %l  int64_t
 *   %x  const void *, size_t: bytes in lower-case hexadecimal, two digits each */
void json_print(json_t *json, const char *format, ...);

void json_value(json_t *json, int64_t value);
void json_text(json_t *json, const char *text, size_t length); /* in quotes: escaped, unprintable -> '?' */

#endif
