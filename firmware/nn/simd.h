#ifndef NN_SIMD_H
#define NN_SIMD_H

#include <stdint.h>
#include <string.h>

/*
 * The few instructions of the Arm DSP extension that the kernels live on, each with a portable twin of the
 * same bits (Armv7-M Architecture Reference Manual, A7.7). A "pair" is a word that holds two int16, the first
 * in the low half.
 */

#define SIMD_INLINE static inline __attribute__((always_inline, unused))

/* Four bytes from any address, the first in the low byte. */
SIMD_INLINE uint32_t simd_load(const int8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The first `count` bytes, at most four; those missing are 0. */
SIMD_INLINE uint32_t simd_load_some(const int8_t *bytes, int32_t count)
{
    if (count >= 4) {
        return simd_load(bytes);
    }
    uint32_t word = 0;
    memcpy(&word, bytes, (size_t)count);
    return word;
}

/* The same small number twice, as a pair. */
SIMD_INLINE uint32_t simd_twice(int32_t value)
{
    return ((uint32_t)value & 0xFFFFu) | ((uint32_t)value << 16);
}

#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_DSP)

/*
 * In loops written by hand every operand is said to be written ("+r"): one that is only read could share its
 * register with one that is written, where the compiler sees that they start out equal.
 */

/* Bytes 0 and 2 as a pair. */
SIMD_INLINE uint32_t simd_even(uint32_t bytes)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* Bytes 1 and 3 as a pair. */
SIMD_INLINE uint32_t simd_odd(uint32_t bytes)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* a.low and b.low as a pair. */
SIMD_INLINE uint32_t simd_low_pair(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
}

/* a.high and b.high as a pair. */
SIMD_INLINE uint32_t simd_high_pair(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(b), "r"(a));
    return pair;
}

/* A pair plus bytes 0 and 2. */
SIMD_INLINE uint32_t simd_add_even(uint32_t pair, uint32_t bytes)
{
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
}

/* A pair plus bytes 1 and 3. */
SIMD_INLINE uint32_t simd_add_odd(uint32_t pair, uint32_t bytes)
{
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
}

/* sum + a.low * b.low */
SIMD_INLINE int32_t simd_low_product(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a.high * b.high */
SIMD_INLINE int32_t simd_high_product(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + a.low * b.low + a.high * b.high, modulo 2^32. */
SIMD_INLINE int32_t simd_dot(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + round(a * b / 2^32), halves up, modulo 2^32. */
SIMD_INLINE int32_t simd_multiply_high(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* sum + floor(a * b / 2^32), modulo 2^32. */
SIMD_INLINE int32_t simd_multiply_add(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* The nearest int8. */
SIMD_INLINE int8_t simd_saturate(int32_t value)
{
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return (int8_t)result;
}

/* 16 values of every column, `run` values long, from `depth` values further on. */
SIMD_INLINE void simd_move_columns_16(int16_t *to, int32_t depth, int32_t run, int32_t columns)
{
    const int16_t *from = to + depth;
    int32_t step = 2 * run;
    __asm__ volatile("1:                      \n"
                     "ldmia %[from], {r4, r5, r6, r8, r9, r10, r12, lr}     \n"
                     "stmia %[to], {r4, r5, r6, r8, r9, r10, r12, lr}       \n"
                     "add   %[from], %[step]  \n"
                     "add   %[to], %[step]    \n"
                     "subs  %[columns], #1    \n"
                     "bne   1b                \n"
                     : [from] "+r"(from), [to] "+r"(to), [columns] "+r"(columns), [step] "+r"(step)
                     :
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
}

/* 8 values of every column, `run` values long, from `depth` values further on. */
SIMD_INLINE void simd_move_columns_8(int16_t *to, int32_t depth, int32_t run, int32_t columns)
{
    const int16_t *from = to + depth;
    int32_t step = 2 * run;
    __asm__ volatile("1:                      \n"
                     "ldmia %[from], {r4, r5, r6, r8}     \n"
                     "stmia %[to], {r4, r5, r6, r8}       \n"
                     "add   %[from], %[step]  \n"
                     "add   %[to], %[step]    \n"
                     "subs  %[columns], #1    \n"
                     "bne   1b                \n"
                     : [from] "+r"(from), [to] "+r"(to), [columns] "+r"(columns), [step] "+r"(step)
                     :
                     : "r4", "r5", "r6", "r8", "cc", "memory");
}

/* Of every column, `run` values long, moves `kept` values (8, 16 ...) down by `depth`; even numbers all. */
SIMD_INLINE void simd_move_columns(int16_t *column, int32_t depth, int32_t run, int32_t kept, int32_t columns)
{
    for (; kept > 16; kept -= 16, column += 16) { /* first the part that eight registers do not hold */
        simd_move_columns_16(column, depth, run, columns);
    }
    if (kept == 16) {
        simd_move_columns_16(column, depth, run, columns);
    } else {
        simd_move_columns_8(column, depth, run, columns);
    }
}

/* `count` values (16, 32 ...) from `from`, further on, to `to`; both aligned to 4. */
SIMD_INLINE void simd_move_down(int16_t *to, const int16_t *from, int32_t count)
{
    const int16_t *end = to + count;
    __asm__ volatile("1:                                                   \n"
                     "ldmia %[from]!, {r4, r5, r6, r8, r9, r10, r12, lr}   \n"
                     "stmia %[to]!, {r4, r5, r6, r8, r9, r10, r12, lr}     \n"
                     "cmp   %[to], %[end]                                  \n"
                     "bne   1b                                             \n"
                     : [from] "+r"(from), [to] "+r"(to), [end] "+r"(end)
                     :
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
}

/* Copies `columns` times 16 consecutive values to places `run` values apart; all aligned to 4. */
SIMD_INLINE void simd_spread_16(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
    int32_t step = 2 * run;
    __asm__ volatile("1:                      \n"
                     "ldmia %[from]!, {r4, r5, r6, r8, r9, r10, r12, lr}    \n"
                     "stmia %[to], {r4, r5, r6, r8, r9, r10, r12, lr}       \n"
                     "add   %[to], %[step]    \n"
                     "subs  %[columns], #1    \n"
                     "bne   1b                \n"
                     : [from] "+r"(from), [to] "+r"(to), [columns] "+r"(columns), [step] "+r"(step)
                     :
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
}

/* Copies `columns` times 8 consecutive values to places `run` values apart; all aligned to 4. */
SIMD_INLINE void simd_spread_8(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
    int32_t step = 2 * run;
    __asm__ volatile("1:                      \n"
                     "ldmia %[from]!, {r4, r5, r6, r8}    \n"
                     "stmia %[to], {r4, r5, r6, r8}       \n"
                     "add   %[to], %[step]    \n"
                     "subs  %[columns], #1    \n"
                     "bne   1b                \n"
                     : [from] "+r"(from), [to] "+r"(to), [columns] "+r"(columns), [step] "+r"(step)
                     :
                     : "r4", "r5", "r6", "r8", "cc", "memory");
}

#else

SIMD_INLINE uint32_t simd_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
}

SIMD_INLINE int32_t simd_low(uint32_t pair)
{
    return (int16_t)(uint16_t)pair;
}

SIMD_INLINE int32_t simd_high(uint32_t pair)
{
    return (int16_t)(uint16_t)(pair >> 16);
}

SIMD_INLINE uint32_t simd_even(uint32_t bytes)
{
    return simd_pair((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
}

SIMD_INLINE uint32_t simd_odd(uint32_t bytes)
{
    return simd_pair((int8_t)(uint8_t)(bytes >> 8), (int8_t)(uint8_t)(bytes >> 24));
}

SIMD_INLINE uint32_t simd_low_pair(uint32_t a, uint32_t b)
{
    return simd_pair(simd_low(a), simd_low(b));
}

SIMD_INLINE uint32_t simd_high_pair(uint32_t a, uint32_t b)
{
    return simd_pair(simd_high(a), simd_high(b));
}

SIMD_INLINE uint32_t simd_add_even(uint32_t pair, uint32_t bytes)
{
    uint32_t even = simd_even(bytes);
    return simd_pair(simd_low(pair) + simd_low(even), simd_high(pair) + simd_high(even));
}

SIMD_INLINE uint32_t simd_add_odd(uint32_t pair, uint32_t bytes)
{
    uint32_t odd = simd_odd(bytes);
    return simd_pair(simd_low(pair) + simd_low(odd), simd_high(pair) + simd_high(odd));
}

SIMD_INLINE int32_t simd_low_product(uint32_t a, uint32_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(simd_low(a) * simd_low(b)));
}

SIMD_INLINE int32_t simd_high_product(uint32_t a, uint32_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(simd_high(a) * simd_high(b)));
}

SIMD_INLINE int32_t simd_dot(uint32_t a, uint32_t b, int32_t sum)
{
    uint32_t products = (uint32_t)(simd_low(a) * simd_low(b)) + (uint32_t)(simd_high(a) * simd_high(b));
    return (int32_t)((uint32_t)sum + products);
}

SIMD_INLINE int32_t simd_multiply_high(int32_t a, int32_t b, int32_t sum)
{
    uint32_t high = (uint32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
    return (int32_t)((uint32_t)sum + high);
}

SIMD_INLINE int32_t simd_multiply_add(int32_t a, int32_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(((int64_t)a * b) >> 32));
}

SIMD_INLINE int8_t simd_saturate(int32_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

SIMD_INLINE void simd_move_columns(int16_t *column, int32_t depth, int32_t run, int32_t kept, int32_t columns)
{
    for (; columns > 0; columns--, column += run) {
        memmove(column, column + depth, (size_t)kept * sizeof *column);
    }
}

SIMD_INLINE void simd_move_down(int16_t *to, const int16_t *from, int32_t count)
{
    memmove(to, from, (size_t)count * sizeof *to);
}

SIMD_INLINE void simd_spread_16(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
    for (; columns > 0; columns--, from += 16, to += run) {
        memcpy(to, from, 16 * sizeof *to);
    }
}

SIMD_INLINE void simd_spread_8(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
    for (; columns > 0; columns--, from += 8, to += run) {
        memcpy(to, from, 8 * sizeof *to);
    }
}

#endif

#endif
