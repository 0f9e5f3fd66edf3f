/* SPDX-License-Identifier: Apache-2.0 */
#include "device/json.h"
#include "device/base64.h"
#include <stdarg.h>
#include <string.h>

static const char json_digits[16] = {'0', '1', '2', '3', '4', '5', '6', '7',
                                     '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

static void put(json_t *json, char character)
{
    if (json->used < json->size) {
        json->text[json->used++] = character;
    } else {
        json->full = true;
    }
}

static void separate(json_t *json)
{
    if (json->comma)
        put(json, ',');
    json->comma = true;
}

/* Returns the remainder. By hand, with divisions of 32 bits: the library's of 64 bits has 750 bytes. */
static uint32_t divide_by_ten(uint64_t *number)
{
    const uint32_t high = (uint32_t)(*number >> 32), low = (uint32_t)*number;
    const uint32_t middle = high % 10 << 16 | low >> 16;
    const uint32_t last = middle % 10 << 16 | (low & 0xFFFF);
    *number = (uint64_t)(high / 10) << 32 | (uint64_t)(middle / 10) << 16 | last / 10;
    return last % 10;
}

void json_value(json_t *json, int64_t value)
{
    char digits[20]; /* 2^64 has 20 */
    size_t count = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[count++] = json_digits[divide_by_ten(&rest)];
    while (rest > 0);
    if (value < 0)
        put(json, '-');
    while (count > 0)
        put(json, digits[--count]);
}

void json_begin(json_t *json, char *text, size_t size)
{
    *json = (json_t){.text = text, .size = size};
    put(json, '{');
}

size_t json_end(json_t *json)
{
    put(json, '}');
    put(json, '\n');
    return json->full ? 0 : json->used;
}

void json_text(json_t *json, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char character = text[i];
        if (character == '"' || character == '\\')
            put(json, '\\');
        put(json, character >= ' ' && character <= '~' ? character : '?');
    }
}

static void quoted(json_t *json, const char *text)
{
    put(json, '"');
    json_text(json, text, strlen(text));
    put(json, '"');
}

static void key_of(json_t *json, const char *key)
{
    separate(json);
    quoted(json, key);
    put(json, ':');
}

static void hexadecimal(json_t *json, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put(json, json_digits[bytes[i] >> 4]);
        put(json, json_digits[bytes[i] & 15]);
    }
}

void json_print(json_t *json, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(json, *format);
            continue;
        }
        const char kind = *++format;
        if (kind == 'u') {
            json_value(json, va_arg(values, uint32_t));
        } else if (kind == 'd') {
            json_value(json, va_arg(values, int32_t));
        } else if (kind == 'l') {
            json_value(json, va_arg(values, int64_t));
        } else {
            const char *const text = va_arg(values, const char *);
            const size_t length = kind == 's' ? strlen(text) : va_arg(values, size_t);
            if (kind == 'x')
                hexadecimal(json, (const uint8_t *)text, length);
            else
                json_text(json, text, length);
        }
    }
    va_end(values);
    json->comma = true;
}

void json_number(json_t *json, const char *key, int64_t value)
{
    key_of(json, key);
    json_value(json, value);
}

void json_base64(json_t *json, const char *key, const void *bytes, size_t size)
{
    key_of(json, key);
    put(json, '"');
    if (json->size - json->used >= BASE64_LENGTH(size)) {
        json->used += base64_encode(bytes, size, json->text + json->used);
    } else {
        json->full = true;
    }
    put(json, '"');
}

void json_list(json_t *json, const char *key)
{
    key_of(json, key);
    put(json, '[');
    json->comma = false;
}

void json_list_string(json_t *json, const char *value)
{
    separate(json);
    quoted(json, value);
}

void json_list_number(json_t *json, int32_t value)
{
    separate(json);
    json_value(json, value);
}

void json_list_end(json_t *json)
{
    put(json, ']');
    json->comma = true;
}
