/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DSP_MEMORY_H
#define DSP_MEMORY_H

#include "dsp/dsp.h"
#include <string.h>

/* Loads and stores of several values at once, and moves by as many registers as there are. */

/* Two int16 from any address. */
DSP_INLINE uint32_t dsp_load_pair(const int16_t *values)
{
    uint32_t pair;
    memcpy(&pair, values, sizeof pair);
    return pair;
}

/* Two int16 to any address. */
DSP_INLINE void dsp_store_pair(int16_t *to, uint32_t pair)
{
    memcpy(to, &pair, sizeof pair);
}

/* Four bytes from any address. */
DSP_INLINE uint32_t dsp_load_bytes(const int8_t *values)
{
    uint32_t bytes;
    memcpy(&bytes, values, sizeof bytes);
    return bytes;
}

/* The first `count` bytes, at most four; those missing are 0. */
DSP_INLINE uint32_t dsp_load_some_bytes(const int8_t *values, int32_t count)
{
    if (count >= 4)
        return dsp_load_bytes(values);
    uint32_t bytes = 0;
    memcpy(&bytes, values, (size_t)count);
    return bytes;
}

/* Two words at once, from memory aligned to 4; returns the address after them. */
DSP_INLINE const void *dsp_load_two(const void *from, uint32_t *first, uint32_t *second)
{
    typedef struct {
        char bytes[8];
    } two_t; /* of characters, which may lie over any type */
    const two_t *two = from;
#if DSP
    const two_t *at = two;
    __asm__("ldrd %0, %1, [%2], #8" : "=&r"(*first), "=&r"(*second), "+r"(two) : "m"(*at));
    return two;
#else
    memcpy(first, two->bytes, sizeof *first);
    memcpy(second, two->bytes + 4, sizeof *second);
    return two + 1;
#endif
}

DSP_INLINE uint32_t *dsp_store_two(uint32_t *to, uint32_t first, uint32_t second)
{
#if DSP
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

/* Two words at once, in memory aligned to 4. */
DSP_INLINE void dsp_get_two(const int32_t *from, int32_t *first, int32_t *second)
{
#if DSP
    typedef int32_t two_t[2];
    const two_t *at = (const two_t *)from;
    __asm__("ldrd %0, %1, [%2]" : "=r"(*first), "=r"(*second) : "r"(from), "m"(*at));
#else
    *first = from[0];
    *second = from[1];
#endif
}

DSP_INLINE void dsp_put_two(int32_t *to, int32_t first, int32_t second)
{
#if DSP
    typedef int32_t two_t[2];
    two_t *at = (two_t *)to;
    __asm__("strd %2, %3, [%1]" : "=m"(*at) : "r"(to), "r"(first), "r"(second));
#else
    to[0] = first;
    to[1] = second;
#endif
}

typedef struct {
    char bytes[8];
} dsp_wide_t; /* of characters, which may lie over any type */

/* 64 bits from memory aligned to 4. */
DSP_INLINE uint64_t dsp_get_wide(const void *from)
{
    uint64_t wide;
#if DSP
    __asm__("ldrd %Q0, %R0, [%1]" : "=r"(wide) : "r"(from), "m"(*(const dsp_wide_t *)from));
#else
    memcpy(&wide, from, sizeof wide);
#endif
    return wide;
}

/* To memory aligned to 4. */
DSP_INLINE void dsp_put_wide(void *to, uint64_t wide)
{
#if DSP
    __asm__("strd %Q2, %R2, [%1]" : "=m"(*(dsp_wide_t *)to) : "r"(to), "r"(wide));
#else
    memcpy(to, &wide, sizeof wide);
#endif
}

#if DSP
/*
 * Through registers, `columns` times: as many words as `registers` name. `up` is "!" where `from` goes on
 * after what was read, else the step is added to it as to `to`. Every operand is said to be written ("+r"):
 * one that is only read could share its register with one that is written, where the compiler sees that they
 * start out equal.
 */
#define DSP_COLUMNS(registers, up, step_from, ...)                                                           \
    __asm__ volatile("1:                                          \n"                                        \
                     "ldmia %[from]" up ", {" registers "}        \n"                                        \
                     "stmia %[to], {" registers "}                \n" step_from                              \
                     "add   %[to], %[step]                        \n"                                        \
                     "subs  %[columns], #1                        \n"                                        \
                     "bne   1b                                    \n"                                        \
                     : [from] "+r"(from), [to] "+r"(to), [columns] "+r"(columns), [step] "+r"(step)          \
                     :                                                                                       \
                     : __VA_ARGS__, "cc", "memory")
#define DSP_8_WORDS   "r4, r5, r6, r8, r9, r10, r12, lr"
#define DSP_8_CLOBBER "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr"
#define DSP_4_WORDS   "r4, r5, r6, r8"
#define DSP_4_CLOBBER "r4", "r5", "r6", "r8"
#define DSP_STEP_FROM "add   %[from], %[step]  \n"
#endif

/* 16 values of every column, `run` values long, from `depth` values further on. */
DSP_INLINE void dsp_move_columns_16(int16_t *to, int32_t depth, int32_t run, int32_t columns)
{
#if DSP
    const int16_t *from = to + depth;
    int32_t step = 2 * run;
    DSP_COLUMNS(DSP_8_WORDS, "", DSP_STEP_FROM, DSP_8_CLOBBER);
#else
    for (; columns > 0; columns--, to += run)
        memmove(to, to + depth, 16 * sizeof *to);
#endif
}

/* 8 values of every column, the same way. */
DSP_INLINE void dsp_move_columns_8(int16_t *to, int32_t depth, int32_t run, int32_t columns)
{
#if DSP
    const int16_t *from = to + depth;
    int32_t step = 2 * run;
    DSP_COLUMNS(DSP_4_WORDS, "", DSP_STEP_FROM, DSP_4_CLOBBER);
#else
    for (; columns > 0; columns--, to += run)
        memmove(to, to + depth, 8 * sizeof *to);
#endif
}

/* Of every column, `run` values long, moves `kept` values (8, 16 ...) down by `depth`; even numbers all. */
DSP_INLINE void dsp_move_columns(int16_t *column, int32_t depth, int32_t run, int32_t kept, int32_t columns)
{
    for (; kept > 16; kept -= 16, column += 16) /* first the part that eight registers do not hold */
        dsp_move_columns_16(column, depth, run, columns);
    if (kept == 16)
        dsp_move_columns_16(column, depth, run, columns);
    else
        dsp_move_columns_8(column, depth, run, columns);
}

/* `count` values (16, 32 ...) from `from`, further on, to `to`; both aligned to 4. */
DSP_INLINE void dsp_move_down(int16_t *to, const int16_t *from, int32_t count)
{
#if DSP
    const int16_t *end = to + count;
    __asm__ volatile("1:                                           \n"
                     "ldmia %[from]!, {" DSP_8_WORDS "}            \n"
                     "stmia %[to]!, {" DSP_8_WORDS "}              \n"
                     "cmp   %[to], %[end]                          \n"
                     "bne   1b                                     \n"
                     : [from] "+r"(from), [to] "+r"(to), [end] "+r"(end)
                     :
                     : DSP_8_CLOBBER, "cc", "memory");
#else
    memmove(to, from, (size_t)count * sizeof *to);
#endif
}

/* Copies `columns` times 16 consecutive values to places `run` values apart; all aligned to 4. */
DSP_INLINE void dsp_spread_16(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
#if DSP
    int32_t step = 2 * run;
    DSP_COLUMNS(DSP_8_WORDS, "!", "", DSP_8_CLOBBER);
#else
    for (; columns > 0; columns--, from += 16, to += run)
        memcpy(to, from, 16 * sizeof *to);
#endif
}

/* The same, 8 values each. */
DSP_INLINE void dsp_spread_8(int16_t *to, const int16_t *from, int32_t run, int32_t columns)
{
#if DSP
    int32_t step = 2 * run;
    DSP_COLUMNS(DSP_4_WORDS, "!", "", DSP_4_CLOBBER);
#else
    for (; columns > 0; columns--, from += 8, to += run)
        memcpy(to, from, 8 * sizeof *to);
#endif
}

#endif
