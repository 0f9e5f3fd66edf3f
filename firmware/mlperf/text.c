/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/text.h"
#include "device/json.h"
#include "device/output.h"
#include "port/port.h"
#include <string.h>

void text_part(const char *text, size_t size)
{
    watchdog_feed(); /* a long answer over a slow line outlasts it */
    if (size > 0)
        output_line(text, size);
}

void text_put(const char *text)
{
    text_part(text, strlen(text));
}

void text_number(int64_t value)
{
    char digits[24];
    json_t json = {.text = digits, .size = sizeof digits};
    json_value(&json, value);
    text_part(digits, json.used);
}

void text_thousandths(int64_t value)
{
    if (value < 0)
        text_put("-");
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const uint32_t rest = (uint32_t)(size % 1000);
    text_number((int64_t)(size / 1000));
    const char digits[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                            (char)('0' + rest % 10)};
    text_part(digits, sizeof digits);
}

void text_byte(uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    const char digits[2] = {hex[byte >> 4], hex[byte & 15]};
    text_part(digits, sizeof digits);
}

void text_line(const char *before, int64_t value, const char *after)
{
    text_put(before);
    text_number(value);
    text_put(after);
    text_put("\r\n");
}
