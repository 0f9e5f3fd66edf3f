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

/* Two pairs at once, from memory aligned to 4; returns the address behind them. */
static inline const void *packed_load_two(const void *from, uint32_t *first, uint32_t *second)
{
    typedef struct {
        char bytes[8];
    } two_t; /* of characters, which may lie over any type */
    const two_t *two = from;
#if PACKED_DSP
    const two_t *at = two;
    __asm__("ldrd %0, %1, [%2], #8" : "=&r"(*first), "=&r"(*second), "+r"(two) : "m"(*at));
    return two;
#else
    memcpy(first, two->bytes, sizeof *first);
    memcpy(second, two->bytes + 4, sizeof *second);
    return two + 1;
#endif
}

static inline uint32_t *packed_store_two(uint32_t *to, uint32_t first, uint32_t second)
{
#if PACKED_DSP
    typedef uint32_t two_t[2];
    two_t *at = (two_t *)to;
    __asm__("strd %2, %3, [%1], #8" : "=m"(*at), "+r"(to) : "r"(first), "r"(second));
    return to;
#else
    to[0] = first;
    to[1] = second;
    return to + 2;
#endif
}

/* The bits in the opposite order. */
static inline uint32_t packed_reversed(uint32_t word)
{
#if PACKED_DSP
    uint32_t reversed;
    __asm__("rbit %0, %1" : "=r"(reversed) : "r"(word));
    return reversed;
#else
    uint32_t reversed = 0;
    for (int bit = 0; bit < 32; bit++, word >>= 1)
        reversed = reversed << 1 | (word & 1);
    return reversed;
#endif
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

/* (a - b) >> 1 of the full differences, rounded down. */
static inline uint32_t packed_half_difference(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__shsub16((int16x2_t)a, (int16x2_t)b);
#else
    return packed_pair((packed_low(a) - packed_low(b)) >> 1, (packed_high(a) - packed_high(b)) >> 1);
#endif
}

/* a - b of values without a sign, 0 where a is smaller. */
static inline uint32_t packed_excess(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return (uint32_t)__uqsub16((uint16x2_t)a, (uint16x2_t)b);
#else
    const uint32_t al = a & 0xFFFFU, ah = a >> 16, bl = b & 0xFFFFU, bh = b >> 16;
    return (al > bl ? al - bl : 0) | (ah > bh ? ah - bh : 0) << 16;
#endif
}

/* 1 in each half where a is at least b. */
static inline uint32_t packed_at_least(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    uint32_t at_least; /* the subtraction sets a flag a half, which the selection reads */
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %3, %4"
            : "=&r"(at_least)
            : "r"(a), "r"(b), "r"(0x00010001U), "r"(0)
            : "cc");
    return at_least;
#else
    return packed_pair(packed_low(a) >= packed_low(b), packed_high(a) >= packed_high(b));
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

/* a's low times b's low - a's high times b's high, which must not overflow. */
static inline int32_t packed_difference(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return __smusd((int16x2_t)a, (int16x2_t)b);
#else
    return packed_low(a) * packed_low(b) - packed_high(a) * packed_high(b);
#endif
}

/* a's low times b's high - a's high times b's low, which must not overflow. */
static inline int32_t packed_cross_difference(uint32_t a, uint32_t b)
{
#if PACKED_DSP
    return __smusdx((int16x2_t)a, (int16x2_t)b);
#else
    return packed_low(a) * packed_high(b) - packed_high(a) * packed_low(b);
#endif
}

/* The high half of a times one of b's. */
static inline int32_t packed_high_low_product(int32_t a, uint32_t b)
{
    return (a >> 16) * packed_low(b);
}

static inline int32_t packed_high_high_product(int32_t a, uint32_t b)
{
    return (a >> 16) * packed_high(b);
}

/* Bits 14 to 29 of each. */
static inline uint32_t packed_quotients(int32_t low, int32_t high)
{
#if PACKED_DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #14" : "=r"(pair) : "r"(high << 2), "r"(low));
    return pair;
#else
    return packed_pair(low >> 14, high >> 14);
#endif
}

/* sum + a b. */
static inline uint64_t packed_accumulate(uint64_t sum, uint32_t a, uint32_t b)
{
#if PACKED_DSP
    __asm__("umlal %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b)); /* one sum, not several added up */
    return sum;
#else
    return sum + (uint64_t)a * b;
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
