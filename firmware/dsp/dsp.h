/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DSP_DSP_H
#define DSP_DSP_H

#include <stdint.h>

/*
 * The instructions of the Arm DSP extension that front end and kernels live on (Armv7-M Architecture
 * Reference Manual, A7.7), each with a portable version of the same bits beside it.
 *
 * A "pair" is a word that holds two int16: the first of memory, or the real part, is its low half. "Bytes" is
 * a word that holds four int8, the first of memory in the lowest. Sums and differences of halves wrap in each
 * half, sums of products modulo 2^32. Conversions to signed types are modulo 2^n and >> of negative values
 * rounds down, as on every compiler for these cores.
 */
#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#define DSP 1
#else
#define DSP 0
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "pairs and bytes are read as little-endian words"
#endif

#define DSP_INLINE static inline __attribute__((always_inline, unused))

DSP_INLINE int32_t dsp_low(uint32_t pair)
{
    return (int16_t)pair;
}

DSP_INLINE int32_t dsp_high(uint32_t pair)
{
    return (int32_t)pair >> 16;
}

/* Each value is taken modulo 2^16. */
DSP_INLINE uint32_t dsp_pair(int32_t low, int32_t high)
{
#if DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
#else
    return ((uint32_t)low & 0xFFFFU) | ((uint32_t)high << 16);
#endif
}

/* The same value twice; of a constant a constant. */
DSP_INLINE uint32_t dsp_twice(int32_t value)
{
    return ((uint32_t)value & 0xFFFFU) | ((uint32_t)value << 16);
}

/* The low half of each. */
DSP_INLINE uint32_t dsp_lows(uint32_t a, uint32_t b)
{
    return dsp_pair((int32_t)a, (int32_t)b);
}

/* The high half of each. */
DSP_INLINE uint32_t dsp_highs(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(b), "r"(a));
    return pair;
#else
    return a >> 16 | (b & 0xFFFF0000U);
#endif
}

/* a's low half, b's high half. */
DSP_INLINE uint32_t dsp_low_and_high(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
#else
    return (a & 0xFFFFU) | (b & 0xFFFF0000U);
#endif
}

/* Bits 14 to 29 of each. */
DSP_INLINE uint32_t dsp_quotients(int32_t low, int32_t high)
{
#if DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #14" : "=r"(pair) : "r"(high << 2), "r"(low));
    return pair;
#else
    return dsp_pair(low >> 14, high >> 14);
#endif
}

DSP_INLINE uint32_t dsp_swap(uint32_t pair)
{
    return pair >> 16 | pair << 16;
}

/* Bytes 0 and 2 as a pair. */
DSP_INLINE uint32_t dsp_even(uint32_t bytes)
{
#if DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return dsp_pair((int8_t)bytes, (int8_t)(bytes >> 16));
#endif
}

/* Bytes 1 and 3 as a pair. */
DSP_INLINE uint32_t dsp_odd(uint32_t bytes)
{
#if DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return dsp_even(bytes >> 8);
#endif
}

/* The highest bit that is set, from 0, of a word above 0. */
DSP_INLINE unsigned dsp_highest_bit(uint32_t word)
{
#if defined(__GNUC__)
    return 31U - (unsigned)__builtin_clz(word);
#else
    unsigned bit = 0;
    while (word >>= 1)
        bit++;
    return bit;
#endif
}

/* The bits of a word in the opposite order. */
DSP_INLINE uint32_t dsp_reversed(uint32_t word)
{
#if DSP
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

DSP_INLINE uint32_t dsp_add(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair(dsp_low(a) + dsp_low(b), dsp_high(a) + dsp_high(b));
#endif
}

DSP_INLINE uint32_t dsp_subtract(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair(dsp_low(a) - dsp_low(b), dsp_high(a) - dsp_high(b));
#endif
}

/* A pair plus bytes 0 and 2. */
DSP_INLINE uint32_t dsp_add_even(uint32_t pair, uint32_t bytes)
{
#if DSP
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
#else
    return dsp_add(pair, dsp_even(bytes));
#endif
}

/* A pair plus bytes 1 and 3. */
DSP_INLINE uint32_t dsp_add_odd(uint32_t pair, uint32_t bytes)
{
#if DSP
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
#else
    return dsp_add(pair, dsp_odd(bytes));
#endif
}

/* (a + b) >> 1 of the full sums, rounded down. */
DSP_INLINE uint32_t dsp_mean(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__shadd16((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair((dsp_low(a) + dsp_low(b)) >> 1, (dsp_high(a) + dsp_high(b)) >> 1);
#endif
}

/* (a - b) >> 1 of the full differences, rounded down. */
DSP_INLINE uint32_t dsp_half_difference(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__shsub16((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair((dsp_low(a) - dsp_low(b)) >> 1, (dsp_high(a) - dsp_high(b)) >> 1);
#endif
}

/* a + i b of complex numbers: a's low - b's high, a's high + b's low. */
DSP_INLINE uint32_t dsp_add_turned(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__sasx((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair(dsp_low(a) - dsp_high(b), dsp_high(a) + dsp_low(b));
#endif
}

/* a - i b of complex numbers: a's low + b's high, a's high - b's low. */
DSP_INLINE uint32_t dsp_subtract_turned(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__ssax((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_pair(dsp_low(a) + dsp_high(b), dsp_high(a) - dsp_low(b));
#endif
}

/* a - b of values without a sign, 0 where a is smaller. */
DSP_INLINE uint32_t dsp_excess(uint32_t a, uint32_t b)
{
#if DSP
    return (uint32_t)__uqsub16((uint16x2_t)a, (uint16x2_t)b);
#else
    const uint32_t al = a & 0xFFFFU, ah = a >> 16, bl = b & 0xFFFFU, bh = b >> 16;
    return (al > bl ? al - bl : 0) | (ah > bh ? ah - bh : 0) << 16;
#endif
}

/* 1 in each half where a is at least b. */
DSP_INLINE uint32_t dsp_at_least(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t at_least; /* the subtraction sets a flag a half, which the selection reads */
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %3, %4"
            : "=&r"(at_least)
            : "r"(a), "r"(b), "r"(0x00010001U), "r"(0)
            : "cc");
    return at_least;
#else
    return dsp_pair(dsp_low(a) >= dsp_low(b), dsp_high(a) >= dsp_high(b));
#endif
}

/* The larger value of each half. */
DSP_INLINE uint32_t dsp_larger(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t larger;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b) : "cc");
    return larger;
#else
    return dsp_pair(dsp_low(a) > dsp_low(b) ? dsp_low(a) : dsp_low(b),
                    dsp_high(a) > dsp_high(b) ? dsp_high(a) : dsp_high(b));
#endif
}

/* The smaller value of each half. */
DSP_INLINE uint32_t dsp_smaller(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t smaller;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b) : "cc");
    return smaller;
#else
    return dsp_pair(dsp_low(a) < dsp_low(b) ? dsp_low(a) : dsp_low(b),
                    dsp_high(a) < dsp_high(b) ? dsp_high(a) : dsp_high(b));
#endif
}

/* The larger of each byte. */
DSP_INLINE uint32_t dsp_larger_bytes(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t larger; /* as above, with a flag a byte */
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b) : "cc");
    return larger;
#else
    uint32_t larger = 0;
    for (int bit = 0; bit < 32; bit += 8) {
        const uint32_t taken = (int8_t)(a >> bit) > (int8_t)(b >> bit) ? a : b;
        larger |= taken & (0xFFU << bit);
    }
    return larger;
#endif
}

/* The smaller of each byte. */
DSP_INLINE uint32_t dsp_smaller_bytes(uint32_t a, uint32_t b)
{
#if DSP
    uint32_t smaller;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b) : "cc");
    return smaller;
#else
    return ~dsp_larger_bytes(~a, ~b); /* ~x = -1 - x turns the order round */
#endif
}

/* The same byte four times; of a constant a constant. */
DSP_INLINE uint32_t dsp_four_times(int32_t value)
{
    return ((uint32_t)value & 0xFFU) * 0x01010101U;
}

/* sum + a product of halves, a's named first. */
DSP_INLINE int32_t dsp_low_low(uint32_t a, uint32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(dsp_low(a) * dsp_low(b)));
#endif
}

DSP_INLINE int32_t dsp_low_high(uint32_t a, uint32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(dsp_low(a) * dsp_high(b)));
#endif
}

DSP_INLINE int32_t dsp_high_high(uint32_t a, uint32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(dsp_high(a) * dsp_high(b)));
#endif
}

/* sum + a.low * b.low + a.high * b.high */
DSP_INLINE int32_t dsp_dot(uint32_t a, uint32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return dsp_high_high(a, b, dsp_low_low(a, b, sum));
#endif
}

/* a.low * b.low - a.high * b.high, which must not overflow. */
DSP_INLINE int32_t dsp_difference(uint32_t a, uint32_t b)
{
#if DSP
    return __smusd((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_low(a) * dsp_low(b) - dsp_high(a) * dsp_high(b);
#endif
}

/* a.low * b.high - a.high * b.low, which must not overflow. */
DSP_INLINE int32_t dsp_cross_difference(uint32_t a, uint32_t b)
{
#if DSP
    return __smusdx((int16x2_t)a, (int16x2_t)b);
#else
    return dsp_low(a) * dsp_high(b) - dsp_high(a) * dsp_low(b);
#endif
}

/* low^2 + high^2, up to 2^31. */
DSP_INLINE uint32_t dsp_power(uint32_t pair)
{
#if DSP
    return (uint32_t)__smuad((int16x2_t)pair, (int16x2_t)pair);
#else
    return (uint32_t)dsp_dot(pair, pair, 0);
#endif
}

/* sum + round(a * b / 2^32), halves up. */
DSP_INLINE int32_t dsp_multiply_high(int32_t a, int32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    uint32_t high = (uint32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
    return (int32_t)((uint32_t)sum + high);
#endif
}

/* sum + floor(a * b / 2^32) */
DSP_INLINE int32_t dsp_multiply_add(int32_t a, int32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(((int64_t)a * b) >> 32));
#endif
}

/* sum + a * b of values without a sign, modulo 2^64. */
DSP_INLINE uint64_t dsp_accumulate(uint64_t sum, uint32_t a, uint32_t b)
{
#if DSP
    __asm__("umlal %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b)); /* one sum, not several added up */
    return sum;
#else
    return sum + (uint64_t)a * b;
#endif
}

/* The nearest int8. */
DSP_INLINE int8_t dsp_saturate(int32_t value)
{
#if DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return (int8_t)result;
#else
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
#endif
}

#endif
