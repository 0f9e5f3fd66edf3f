#ifndef PIPELINE_PACKED_H
#define PIPELINE_PACKED_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed.h reads pairs of int16 as little-endian words"
#endif

/* Two int16 in a word: the first of memory, or the real part, in the low half. Cortex-M4 and larger cores
 * have an instruction for each of these (Armv7-M Architecture Reference Manual, A7.7); elsewhere they are
 * plain C of the same bits. Sums and differences wrap in each half. Conversions to signed
 * types are modulo 2^n and >> of negative values rounds down, as on every compiler for these cores. */
#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#define PACKED_DSP 1
#else
#define PACKED_DSP 0
#endif

static inline int32_t packed_low(uint32_t pair)
{
    return (int16_t)pair;
}

static inline int32_t packed_high(uint32_t pair)
{
    return (int32_t)pair >> 16;
}

static inline uint32_t packed_load(const int16_t *values)
{
    uint32_t pair;
    memcpy(&pair, values, sizeof pair);
    return pair;
}

/* Each value is taken modulo 2^16. */
static inline uint32_t packed_pair(int32_t low, int32_t high)
{
#if PACKED_DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
#else
    return ((uint32_t)low & 0xFFFFU) | ((uint32_t)high << 16);
#endif
}

/* The high half of each. */
static inline uint32_t packed_highs(int32_t low, int32_t high)
{
#if PACKED_DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(high), "r"(low));
    return pair;
#else
    return ((uint32_t)low >> 16) | ((uint32_t)high & 0xFFFF0000U);
#endif
}

/* a's low half, b's high half. */
static inline uint32_t packed_low_and_high(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
#else
    return (a & 0xFFFFU) | (b & 0xFFFF0000U);
#endif
}

static inline uint32_t packed_swap(uint32_t pair)
{
    return pair >> 16 | pair << 16;
}

static inline uint32_t packed_add(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) + packed_low(b), packed_high(a) + packed_high(b));
#endif
}

static inline uint32_t packed_subtract(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) - packed_low(b), packed_high(a) - packed_high(b));
#endif
}

/* (a + b) >> 1 of the full sums, rounded down. */
static inline uint32_t packed_mean(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__shadd16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair((packed_low(a) + packed_low(b)) >> 1, (packed_high(a) + packed_high(b)) >> 1);
#endif
}

/* a + i b of complex numbers: a's low - b's high, a's high + b's low. */
static inline uint32_t packed_add_turned(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__sasx((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) - packed_high(b), packed_high(a) + packed_low(b));
#endif
}

/* a - i b of complex numbers: a's low + b's high, a's high - b's low. */
static inline uint32_t packed_subtract_turned(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__ssax((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) + packed_high(b), packed_high(a) - packed_low(b));
#endif
}

/* The larger value of each half. */
static inline uint32_t packed_larger(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    uint32_t larger; /* the subtraction sets a flag a half, which the selection reads */
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b) : "cc");
    return larger;
#else
    return packed_pair(packed_low(a) > packed_low(b) ? packed_low(a) : packed_low(b),
                       packed_high(a) > packed_high(b) ? packed_high(a) : packed_high(b));
#endif
}

/* The smaller value of each half. */
static inline uint32_t packed_smaller(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    uint32_t smaller;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b) : "cc");
    return smaller;
#else
    return packed_pair(packed_low(a) < packed_low(b) ? packed_low(a) : packed_low(b),
                       packed_high(a) < packed_high(b) ? packed_high(a) : packed_high(b));
#endif
}

/* The largest magnitude among the values that these are the smallest and the largest of; 0 is taken to be
 * one. */
static inline int32_t packed_magnitude(uint32_t smallest, uint32_t largest)
{
    int32_t magnitude = 0;
    magnitude = packed_low(largest) > magnitude ? packed_low(largest) : magnitude;
    magnitude = packed_high(largest) > magnitude ? packed_high(largest) : magnitude;
    magnitude = -packed_low(smallest) > magnitude ? -packed_low(smallest) : magnitude;
    return -packed_high(smallest) > magnitude ? -packed_high(smallest) : magnitude;
}

/* Products of halves, a's named first, plus c. */
static inline int32_t packed_low_low(uint32_t a, uint32_t b, int32_t c)
{
#if PACKED_DSP
    return __smlabb((int32_t)a, (int32_t)b, c);
#else
    return packed_low(a) * packed_low(b) + c;
#endif
}

static inline int32_t packed_low_high(uint32_t a, uint32_t b, int32_t c)
{
#if PACKED_DSP
    return __smlabt((int32_t)a, (int32_t)b, c);
#else
    return packed_low(a) * packed_high(b) + c;
#endif
}

static inline int32_t packed_high_high(uint32_t a, uint32_t b, int32_t c)
{
#if PACKED_DSP
    return __smlatt((int32_t)a, (int32_t)b, c);
#else
    return packed_high(a) * packed_high(b) + c;
#endif
}

/* low^2 + high^2, up to 2^31. */
static inline uint32_t packed_power(uint32_t a)
{
#if PACKED_DSP
    return (uint32_t)__smuad((int16x2_t)a, (int16x2_t)a);
#else
    return (uint32_t)(packed_low(a) * packed_low(a)) + (uint32_t)(packed_high(a) * packed_high(a));
#endif
}

#endif
