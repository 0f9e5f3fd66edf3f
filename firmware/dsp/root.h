/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DSP_ROOT_H
#define DSP_ROOT_H

#include "dsp/dsp.h"
#include <stdint.h>

/* The square root of 32 bits, rounded down, and what it leaves. */
static inline uint32_t dsp_root_32(uint32_t value, uint32_t *left)
{
    uint32_t root = 0;
    for (uint32_t bit = 0x40000000U; bit != 0; bit >>= 2) {
        const uint32_t tried = root + bit;
        root >>= 1;
        if (value >= tried) {
            value -= tried;
            root += bit;
        }
    }
    *left = value;
    return root;
}

/* The square root of 64 bits, rounded down. The value is shifted up by an even number of bits. Half of the
 * root comes from its upper word, with a remainder of at most twice that half. The other half is a quotient
 * by twice the first one: one bit less of both, to stay within 32, is the same. It may be too large by one,
 * which its square tells. */
static inline uint32_t dsp_root(uint64_t value)
{
    if (value == 0)
        return 0;
    const uint32_t upper = (uint32_t)(value >> 32);
    const unsigned up =
        (upper != 0 ? 31U - dsp_highest_bit(upper) : 63U - dsp_highest_bit((uint32_t)value)) & ~1U;
    const uint64_t shifted = value << up;
    uint32_t left;
    const uint32_t high = dsp_root_32((uint32_t)(shifted >> 32), &left);
    const uint32_t quotient = ((left << 15) + ((uint32_t)shifted >> 17)) / high;
    uint64_t root = ((uint64_t)high << 16) + quotient;
    if (root > 0xFFFFFFFFU || root * root > shifted)
        root--;
    return (uint32_t)(root >> (up / 2));
}

#endif
