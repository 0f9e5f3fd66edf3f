/* SPDX-License-Identifier: Apache-2.0 */
#include "device/base64.h"
#include <stdint.h>

static const char base64_digits[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

size_t base64_encode(const void *bytes, size_t size, char *text)
{
    const uint8_t *next = bytes, *end = next + size;
    char *out = text;
    while (next < end) {
        const size_t count = end - next < 3 ? (size_t)(end - next) : 3;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < count ? *next++ : 0u);
        for (size_t i = 0; i < 4; i++, group <<= 6)
            *out++ = i <= count ? base64_digits[group >> 18 & 63] : '=';
    }
    return (size_t)(out - text);
}

/* 0..63, or a number with bit 6 set for a character outside the alphabet. */
static uint32_t digit_value(char character)
{
    uint32_t c = (uint8_t)character;
    if (c - 'A' < 26)
        return c - 'A';
    if (c - 'a' < 26)
        return c - 'a' + 26;
    if (c - '0' < 10)
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_decode(const char *text, size_t length, void *bytes, size_t *size)
{
    uint8_t *out = bytes;
    *size = 0;
    if (length % 4 != 0)
        return false;
    const char *const end = text + length;
    while (text < end) {
        size_t count = 3; /* bytes of this group; only the last may have fewer */
        if (text + 4 == end && text[3] == '=')
            count = text[2] == '=' ? 1 : 2;
        uint32_t group = 0, wrong = 0;
        for (size_t i = 0; i < 4; i++, text++) {
            const uint32_t value = i <= count ? digit_value(*text) : 0;
            wrong |= value;
            group = group << 6 | value;
        }
        if ((wrong & 64) || (group & ((1u << (24 - 8 * count)) - 1)))
            return false; /* no digit, or bits that no byte holds */
        for (; count > 0; count--, group <<= 8)
            *out++ = (uint8_t)(group >> 16);
    }
    *size = (size_t)(out - (uint8_t *)bytes);
    return true;
}
