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
    const uint8_t *next = bytes;
    char *out = text;
    for (; size >= 3; size -= 3, next += 3) {
        uint32_t group = (uint32_t)next[0] << 16 | (uint32_t)next[1] << 8 | next[2];
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = base64_digits[group >> 6 & 63];
        *out++ = base64_digits[group & 63];
    }
    if (size > 0) {
        uint32_t group = (uint32_t)next[0] << 16 | (size == 2 ? (uint32_t)next[1] << 8 : 0);
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = size == 2 ? base64_digits[group >> 6 & 63] : '=';
        *out++ = '=';
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
    for (size_t i = 0; i < length; i += 4) {
        bool last = i + 4 == length;
        size_t padding = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        uint32_t d0 = digit_value(text[i]), d1 = digit_value(text[i + 1]);
        uint32_t d2 = padding == 2 ? 0 : digit_value(text[i + 2]);
        uint32_t d3 = padding >= 1 ? 0 : digit_value(text[i + 3]);
        if ((d0 | d1 | d2 | d3) & 64)
            return false;
        uint32_t group = d0 << 18 | d1 << 12 | d2 << 6 | d3;
        if (group & ((1u << 8 * padding) - 1)) {
            return false; /* bits that no byte holds */
        }
        *out++ = (uint8_t)(group >> 16);
        if (padding < 2)
            *out++ = (uint8_t)(group >> 8);
        if (padding < 1)
            *out++ = (uint8_t)group;
    }
    *size = (size_t)(out - (uint8_t *)bytes);
    return true;
}
