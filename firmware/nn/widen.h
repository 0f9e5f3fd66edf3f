/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_WIDEN_H
#define NN_WIDEN_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>
#include <string.h>

/*
 * int8 to int16, and int16 to the places of a block of three positions (nn/conv_block.h): a word of two taps
 * every three words.
 */

/* `count` values, in order. */
DSP_INLINE void widen(int16_t *to, const int8_t *from, int32_t count)
{
    for (; count >= 4; count -= 4, from += 4, to += 4) {
        uint32_t bytes = dsp_load_bytes(from), even = dsp_even(bytes), odd = dsp_odd(bytes);
        uint32_t pairs[2] = {dsp_lows(even, odd), dsp_highs(even, odd)};
        memcpy(to, pairs, sizeof pairs);
    }
    for (; count > 0; count--) {
        *to++ = *from++;
    }
}

/* `count` values, and zeros up to so many octets. */
DSP_INLINE void widen_octets(int16_t *to, const int8_t *from, int32_t count, int32_t octets)
{
    widen(to, from, count);
    for (int32_t i = count; i < 8 * octets; i++) {
        to[i] = 0;
    }
}

/* `count` values, in each four the second and the third changed: 0 2 1 3. Those missing to a four are 0. */
DSP_INLINE void widen_crossed(int16_t *to, const int8_t *from, int32_t count)
{
    for (; count > 0; count -= 4, from += 4, to += 4) {
        uint32_t bytes = dsp_load_some_bytes(from, count);
        uint32_t pairs[2] = {dsp_even(bytes), dsp_odd(bytes)};
        memcpy(to, pairs, sizeof pairs);
    }
}

/* `count` values, an even number, to one position's places. Returns the place after. */
DSP_INLINE uint32_t *widen_place_one(uint32_t *to, const int16_t *from, int32_t count)
{
    for (const int16_t *end = from + count; from != end; from += 2, to += 3) {
        memcpy(to, from, sizeof *to);
    }
    return to;
}

/* The same from int8, in the order of widen_crossed. */
DSP_INLINE uint32_t *widen_place_one_crossed(uint32_t *to, const int8_t *from, int32_t count)
{
    for (; count > 0; count -= 4, from += 4, to += 6) {
        uint32_t bytes = dsp_load_some_bytes(from, count);
        to[0] = dsp_even(bytes);
        to[3] = dsp_odd(bytes);
    }
    return to;
}

#if DSP

/* `count` values, a multiple of 4, of three positions `step` values apart, aligned to 4. */
DSP_INLINE uint32_t *widen_place_three(uint32_t *to, const int16_t *from, int32_t step, int32_t count)
{
    const int16_t *end = from + count;
    int32_t bytes = 2 * step;
    __asm__ volatile("add   r12, %[from], %[bytes]         \n"
                     "add   lr, r12, %[bytes]              \n"
                     "1:                                   \n"
                     "ldrd  r4, r8, [%[from]], #8          \n"
                     "ldrd  r5, r9, [r12], #8              \n"
                     "ldrd  r6, r10, [lr], #8              \n"
                     "cmp   %[from], %[end]                \n"
                     "stmia %[to]!, {r4, r5, r6, r8, r9, r10} \n"
                     "bne   1b                             \n"
                     : [from] "+r"(from), [to] "+r"(to), [bytes] "+r"(bytes), [end] "+r"(end)
                     :
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
    return to;
}

/* `count` values, an even number, of three positions `step` values apart, at any place. */
DSP_INLINE uint32_t *widen_place_three_anywhere(uint32_t *to, const int16_t *from, int32_t step,
                                                int32_t count)
{
    const int16_t *end = from + count;
    int32_t bytes = 2 * step;
    __asm__ volatile("add   r12, %[from], %[bytes]         \n"
                     "add   lr, r12, %[bytes]              \n"
                     "1:                                   \n"
                     "ldr   r4, [%[from]], #4              \n"
                     "ldr   r5, [r12], #4                  \n"
                     "ldr   r6, [lr], #4                   \n"
                     "cmp   %[from], %[end]                \n"
                     "stmia %[to]!, {r4, r5, r6}           \n"
                     "bne   1b                             \n"
                     : [from] "+r"(from), [to] "+r"(to), [bytes] "+r"(bytes), [end] "+r"(end)
                     :
                     : "r4", "r5", "r6", "r12", "lr", "cc", "memory");
    return to;
}

/* `count` int8, a multiple of 4, of three positions `step` values apart, in the order of widen_crossed. */
DSP_INLINE uint32_t *widen_place_three_crossed(uint32_t *to, const int8_t *from, int32_t step, int32_t count)
{
    const int8_t *end = from + count;
    __asm__ volatile("add    r12, %[from], %[step]         \n"
                     "add    lr, r12, %[step]              \n"
                     "1:                                   \n"
                     "ldr    r4, [%[from]], #4             \n"
                     "ldr    r5, [r12], #4                 \n"
                     "ldr    r6, [lr], #4                  \n"
                     "sxtb16 r8, r4, ror #8                \n"
                     "sxtb16 r9, r5, ror #8                \n"
                     "sxtb16 r10, r6, ror #8               \n"
                     "sxtb16 r4, r4                        \n"
                     "sxtb16 r5, r5                        \n"
                     "sxtb16 r6, r6                        \n"
                     "cmp    %[from], %[end]               \n"
                     "stmia  %[to]!, {r4, r5, r6, r8, r9, r10} \n"
                     "bne    1b                            \n"
                     : [from] "+r"(from), [to] "+r"(to), [step] "+r"(step), [end] "+r"(end)
                     :
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
    return to;
}

#else

DSP_INLINE uint32_t *widen_place_three(uint32_t *to, const int16_t *from, int32_t step, int32_t count)
{
    for (int32_t position = 0; position < 3; position++) {
        widen_place_one(to + position, from + position * step, count);
    }
    return to + 3 * count / 2;
}

DSP_INLINE uint32_t *widen_place_three_anywhere(uint32_t *to, const int16_t *from, int32_t step,
                                                int32_t count)
{
    return widen_place_three(to, from, step, count);
}

DSP_INLINE uint32_t *widen_place_three_crossed(uint32_t *to, const int8_t *from, int32_t step, int32_t count)
{
    for (int32_t position = 0; position < 3; position++) {
        widen_place_one_crossed(to + position, from + position * step, count);
    }
    return to + 3 * count / 2;
}

#endif

#endif
