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

void json_string(json_t *json, const char *key, const char *value);
void json_number(json_t *json, const char *key, int64_t value);
void json_count(json_t *json, const char *key, uint32_t value); /* the same; a call takes less code */
void json_flag(json_t *json, const char *key, bool value);

/* "0a1b...": two digits a byte. */
void json_hex(json_t *json, const char *key, const uint8_t *bytes, size_t size);
void json_base64(json_t *json, const char *key, const void *bytes, size_t size);

void json_list(json_t *json, const char *key);
void json_list_string(json_t *json, const char *value);
void json_list_number(json_t *json, int32_t value);
void json_list_end(json_t *json);

/* A member in parts: a key, then one value: json_value(), or json_quote(), texts, json_quote(). */
void json_key(json_t *json, const char *key);
void json_key_in(json_t *json, const char *group, const char *key); /* "GROUP.KEY" */
void json_value(json_t *json, int64_t value);
void json_quote(json_t *json);
void json_text(json_t *json, const char *text, size_t length); /* in quotes: escaped, unprintable -> '?' */

#endif
