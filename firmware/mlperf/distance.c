/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/distance.h"

#define BOUND ((int32_t)8192 * 65536 - 65536) /* 2^29 less one whole: a difference has 30 bits */

/* IEEE 754 binary32: sign, exponent with a bias of 127, 23 bits after the leading 1. In 65536ths, rounded to
 * the nearest, halves away from zero. */
static int32_t fixed(const uint8_t *bytes)
{
    const uint32_t bits =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    const int32_t exponent = (int32_t)(bits >> 23 & 0xFF) - 127;
    const uint32_t fraction = (bits & 0x7FFFFF) | 1u << 23;
    int32_t size;
    if (exponent >= 13)
        size = BOUND;
    else if (exponent >= 7)
        size = (int32_t)(fraction << (exponent - 7));
    else if (exponent >= -17)
        size = (int32_t)((fraction + (1u << (6 - exponent))) >> (7 - exponent));
    else
        size = 0;
    if (size > BOUND)
        size = BOUND;
    return bits >> 31 ? -size : size;
}

int64_t distance(const uint8_t *floats, const int8_t *output, const int32_t *values, size_t count)
{
    uint64_t sum = 0; /* 2^-20: a square has 60 bits, less 12 */
    size_t i = 0;
    do {
        const int64_t difference = (int64_t)values[output[i] - INT8_MIN] - fixed(floats + 4 * i);
        sum += ((uint64_t)(difference * difference) + (1u << 11)) >> 12;
    } while (++i < count);
    const uint64_t whole = sum / count, rest = sum % count;
    const uint64_t mean = whole * 1000 + rest * 1000 / count; /* thousandths, 2^-20 */
    return (int64_t)((mean + (1u << 19)) >> 20);
}
