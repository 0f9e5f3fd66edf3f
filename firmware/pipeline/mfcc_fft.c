/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/mfcc_stages.h"

/* Real FFT of n values as a complex one of the n / 2 pairs (even, odd): radix-2 decimation in time. Every
 * butterfly halves its inputs, every product is rounded on its own, sums wrap: these int16 are the contract.
 * Two stages are merged and constants folded only where that leaves each product and sum as it is. */

static inline uint32_t halved(uint32_t pair)
{
    return dsp_mean(pair, 0);
}

/* (q >> 1) w with each product of int16 as (a b + 1) >> 15: the high half of 2 a b + 2, and 2 (q >> 1) is q
 * without its last bits. */
static inline uint32_t half_times(uint32_t q, uint32_t w)
{
#if DSP
    uint32_t first,
        second; /* one piece, with two more registers: left alone, the compiler runs out of them */
    __asm__("bic %0, %0, #0x00010001\n\t"
            "smlabb %1, %0, %3, %4\n\t"
            "smlabt %2, %0, %3, %4\n\t"
            "pkhtb %1, %2, %1, asr #16\n\t"
            "smlatt %2, %0, %3, %4\n\t"
            "smlatb %0, %0, %3, %4\n\t"
            "pkhtb %2, %2, %0, asr #16\n\t"
            "sasx %0, %1, %2"
            : "+r"(q), "=&r"(first), "=&r"(second)
            : "r"(w), "r"(2));
    return q;
#else
    const uint32_t even = q & 0xFFFEFFFEU;
    const uint32_t rr = (uint32_t)dsp_low_low(even, w, 2), ii = (uint32_t)dsp_high_high(even, w, 2);
    const uint32_t ri = (uint32_t)dsp_low_high(even, w, 2), ir = (uint32_t)dsp_low_high(w, even, 2);
    return dsp_add_turned(dsp_highs(rr, ri), dsp_highs(ir, ii));
#endif
}

/* a times 32767, for |a| <= 16384: (32767 a + 1) >> 15 = a - (a >= 2). */
static inline uint32_t times_one(uint32_t a)
{
    return dsp_subtract(a, dsp_at_least(a, 0x00020002U));
}

/* a times -32767, negated, for |a| <= 16384: -((-32767 a + 1) >> 15) = a + (a <= -2). */
static inline uint32_t times_minus_one_negated(uint32_t a)
{
    return dsp_add(a, dsp_at_least(0xFFFEFFFEU, a));
}

/* q w with the same products. */
static inline uint32_t times(uint32_t q, uint32_t w)
{
    const int32_t re = (dsp_low_low(q, w, 1) >> 15) - (dsp_high_high(q, w, 1) >> 15);
    const int32_t im = (dsp_low_high(q, w, 1) >> 15) + (dsp_low_high(w, q, 1) >> 15);
    return dsp_pair(re, im);
}

/* Stages 1 and 2, from natural order to bit-reversed. Their twiddles are 32767 and -32767 i, and (0 a + 1) >>
 * 15 is 0, so a product has two terms only. No sum of two halved values leaves int16. */
static void first_stages(const uint32_t *in, uint32_t *out, size_t points)
{
    const size_t quarter = points / 4;
    const uint32_t step = UINT32_MAX / (uint32_t)quarter + 1; /* quarter is a power of 2 */
    uint32_t count = 0;                                       /* the group's number, at the top of the word */
    do {
        const uint32_t *from = in + dsp_reversed(count);
        const uint32_t p0 = halved(from[0]), q0 = times_one(halved(from[2 * quarter]));
        const uint32_t p1 = halved(from[quarter]), q1 = times_one(halved(from[3 * quarter]));
        const uint32_t a = dsp_mean(p0, q0), b = dsp_half_difference(p0, q0);
        const uint32_t c = times_one(dsp_mean(p1, q1));
        const uint32_t d = times_minus_one_negated(dsp_half_difference(p1, q1));
        out[0] = dsp_add(a, c);
        out[1] = dsp_subtract_turned(b, d);
        out[2] = dsp_subtract(a, c);
        out[3] = dsp_add_turned(b, d);
        out += 4;
        count += step;
    } while (count != 0);
}

/* The stages with butterflies `half` and 2 `half` apart; returns the twiddles of the next. */
static const int16_t *two_stages(uint32_t *z, size_t points, size_t half, const int16_t *twiddles)
{
    const int16_t *next = twiddles;
    for (uint32_t *group = z; group < z + points; group += 4 * half) {
        next = twiddles;
        uint32_t *y = group + 2 * half;
        for (uint32_t *x = group, *end = group + half; x != end; next += 6) {
            const uint32_t w = dsp_load_pair(next);
            const uint32_t q1 = half_times(y[half], w), q0 = half_times(x[half], w);
            const uint32_t p1 = halved(y[0]);
            const uint32_t c = half_times(dsp_add(p1, q1), dsp_load_pair(next + 2));
            const uint32_t d = half_times(dsp_subtract(p1, q1), dsp_load_pair(next + 4));
            const uint32_t p0 = halved(x[0]);
            const uint32_t a = halved(dsp_add(p0, q0)), b = halved(dsp_subtract(p0, q0));
            x[half] = dsp_add(b, d);
            *x++ = dsp_add(a, c);
            y[half] = dsp_subtract(b, d);
            *y++ = dsp_subtract(a, c);
        }
    }
    return next;
}

static const int16_t *last_stage(uint32_t *z, size_t points, const int16_t *twiddles)
{
    const size_t half = points / 2;
    for (uint32_t *x = z; x < z + half; x++, twiddles += 2) {
        const uint32_t p = halved(x[0]), q = half_times(x[half], dsp_load_pair(twiddles));
        x[0] = dsp_add(p, q);
        x[half] = dsp_subtract(p, q);
    }
    return twiddles;
}

/* The spectrum of the real values from that of the pairs, bins k and points - k at a time; the latter stays
 * conjugated, with an imaginary part of the other sign, for only its power is wanted. The mirror's
 * conjugate is halved: its imaginary part is -im >> 1, which is -((im + 1) >> 1). */
static void split(uint32_t *z, size_t points, const int16_t *twiddles)
{
    uint32_t *mirror = z + points - 1;
    for (uint32_t *x = z + 1; x < mirror; x++, mirror--, twiddles += 2) {
        const uint32_t a = halved(x[0]), b = dsp_swap(dsp_mean(mirror[0], 0x00010000U));
        const uint32_t sum = dsp_subtract_turned(a, b), difference = dsp_add_turned(a, b);
        const uint32_t t = times(difference, dsp_load_pair(twiddles));
        x[0] = dsp_add(sum, t);
        mirror[0] = dsp_subtract(sum, t);
    }
}

void mfcc_fft(const mfcc_t *mfcc, const uint32_t *windowed, uint32_t *spectrum)
{
    const size_t points = mfcc->fft / 2;
    const int16_t *twiddles = mfcc->twiddles;
    first_stages(windowed, spectrum, points);
    size_t half = 4;
    for (; 4 * half <= points; half *= 4)
        twiddles = two_stages(spectrum, points, half, twiddles);
    if (half < points)
        twiddles = last_stage(spectrum, points, twiddles);
    split(spectrum, points, twiddles);
}
