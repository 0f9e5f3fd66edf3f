#ifndef PIPELINE_PACKED_H
#define PIPELINE_PACKED_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed.h reads pairs of int16 as little-endian words"
#endif

/* Two int16 in a word: the first of memory, or the real part, in the low half. Cortex-M4 and larger cores
 * have an instruction for each of these; elsewhere they are plain C. Sums and differences wrap in each half.
 */
#if defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
#endif

static inline int32_t packed_low(uint32_t pair)
{
    return (int16_t)pair;
}

static inline int32_t packed_high(uint32_t pair)
{
    return (int32_t)pair >> 16;
}

/* Each value is taken modulo 2^16. */
static inline uint32_t packed_pair(int32_t low, int32_t high)
{
#if defined(__ARM_FEATURE_SIMD32)
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
#else
    return ((uint32_t)low & 0xFFFFU) | ((uint32_t)high << 16);
#endif
}

static inline uint32_t packed_load(const int16_t *values)
{
    uint32_t pair;
    memcpy(&pair, values, sizeof pair);
    return pair;
}

/* Both halves >> 1, rounded down. */
static inline uint32_t packed_halve(uint32_t pair)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__shadd16((int16x2_t)pair, 0);
#else
    return packed_pair(packed_low(pair) >> 1, packed_high(pair) >> 1);
#endif
}

static inline uint32_t packed_add(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) + packed_low(b), packed_high(a) + packed_high(b));
#endif
}

static inline uint32_t packed_subtract(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) - packed_low(b), packed_high(a) - packed_high(b));
#endif
}

/* The larger value of each half. */
static inline uint32_t packed_larger(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_SIMD32)
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
#if defined(__ARM_FEATURE_SIMD32)
    uint32_t smaller;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b) : "cc");
    return smaller;
#else
    return packed_pair(packed_low(a) < packed_low(b) ? packed_low(a) : packed_low(b),
                       packed_high(a) < packed_high(b) ? packed_high(a) : packed_high(b));
#endif
}

/* a + i b of complex numbers. */
static inline uint32_t packed_add_turned(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__sasx((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) - packed_high(b), packed_high(a) + packed_low(b));
#endif
}

/* a - i b of complex numbers. */
static inline uint32_t packed_subtract_turned(uint32_t a, uint32_t b)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__ssax((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair(packed_low(a) + packed_high(b), packed_high(a) - packed_low(b));
#endif
}

/* Products of halves, a's named first, plus c. */
static inline int32_t packed_low_low(uint32_t a, uint32_t b, int32_t c)
{
#if defined(__ARM_FEATURE_DSP)
    return __smlabb((int32_t)a, (int32_t)b, c);
#else
    return packed_low(a) * packed_low(b) + c;
#endif
}

static inline int32_t packed_low_high(uint32_t a, uint32_t b, int32_t c)
{
#if defined(__ARM_FEATURE_DSP)
    return __smlabt((int32_t)a, (int32_t)b, c);
#else
    return packed_low(a) * packed_high(b) + c;
#endif
}

static inline int32_t packed_high_high(uint32_t a, uint32_t b, int32_t c)
{
#if defined(__ARM_FEATURE_DSP)
    return __smlatt((int32_t)a, (int32_t)b, c);
#else
    return packed_high(a) * packed_high(b) + c;
#endif
}

/* low^2 + high^2, up to 2^31. */
static inline uint32_t packed_power(uint32_t a)
{
#if defined(__ARM_FEATURE_SIMD32)
    return (uint32_t)__smuad((int16x2_t)a, (int16x2_t)a);
#else
    return (uint32_t)(packed_low(a) * packed_low(a)) + (uint32_t)(packed_high(a) * packed_high(a));
#endif
}

#endif
