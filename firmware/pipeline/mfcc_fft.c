#include "pipeline/mfcc_stages.h"
#include "pipeline/packed.h"

/* Real FFT of n values as a complex one of the n / 2 pairs (even, odd): radix-2 decimation in time. Every
 * butterfly halves its inputs, every product is rounded on its own: the sums of int16 that result are the
 * contract, so two stages are merged for speed only where that leaves each product and sum as it is. */

/* q w, with each product of int16 as (a b + 1) >> 15. */
static inline uint32_t multiplied(uint32_t q, uint32_t w)
{
    const int32_t re = (packed_low_low(q, w, 1) >> 15) - (packed_high_high(q, w, 1) >> 15);
    const int32_t im = (packed_low_high(q, w, 1) >> 15) + (packed_low_high(w, q, 1) >> 15);
    return packed_pair(re, im);
}

/* What multiplied() makes of the twiddle (32767, 0): q - 1 where q > 1, else q. |q| <= 16384. */
static inline uint32_t times_one(uint32_t q)
{
    return packed_subtract(q, (packed_subtract(0x00010001U, q) >> 15) & 0x00010001U);
}

/* What it makes of (0, -32767), turned back by i: q + 1 where q < -1, else q. */
static inline uint32_t times_minus_i_turned(uint32_t q)
{
    return packed_add(q, (packed_add(q, 0x00010001U) >> 15) & 0x00010001U);
}

/* Stages 1 and 2, from natural order to bit-reversed. */
static void first_stages(const uint32_t *in, uint32_t *out, size_t points)
{
    const size_t quarter = points / 4;
    size_t reversed = 0;
    for (size_t i = 0; i < quarter; i++, out += 4) {
        const uint32_t *from = in + reversed;
        const uint32_t p0 = packed_halve(from[0]), q0 = times_one(packed_halve(from[2 * quarter]));
        const uint32_t p1 = packed_halve(from[quarter]), q1 = times_one(packed_halve(from[3 * quarter]));
        const uint32_t a = packed_halve(packed_add(p0, q0)), b = packed_halve(packed_subtract(p0, q0));
        const uint32_t c = times_one(packed_halve(packed_add(p1, q1)));
        const uint32_t d = times_minus_i_turned(packed_halve(packed_subtract(p1, q1)));
        out[0] = packed_add(a, c);
        out[1] = packed_subtract_turned(b, d);
        out[2] = packed_subtract(a, c);
        out[3] = packed_add_turned(b, d);
        size_t bit = quarter / 2; /* reversed + 1, carrying from the top bit down */
        while (bit != 0 && (reversed & bit) != 0) {
            reversed ^= bit;
            bit /= 2;
        }
        reversed |= bit;
    }
}

/* The stages with butterflies `half` and 2 `half` apart; returns the twiddles of the next. */
static const int16_t *two_stages(uint32_t *z, size_t points, size_t half, const int16_t *twiddles)
{
    const int16_t *next = twiddles;
    for (uint32_t *group = z; group < z + points; group += 4 * half) {
        next = twiddles;
        for (uint32_t *x = group; x < group + half; x++, next += 6) {
            uint32_t *y = x + 2 * half;
            const uint32_t w = packed_load(next);
            const uint32_t q1 = multiplied(packed_halve(y[half]), w), p1 = packed_halve(y[0]);
            const uint32_t c = multiplied(packed_halve(packed_add(p1, q1)), packed_load(next + 2));
            const uint32_t d = multiplied(packed_halve(packed_subtract(p1, q1)), packed_load(next + 4));
            const uint32_t q0 = multiplied(packed_halve(x[half]), w), p0 = packed_halve(x[0]);
            const uint32_t a = packed_halve(packed_add(p0, q0)), b = packed_halve(packed_subtract(p0, q0));
            x[0] = packed_add(a, c);
            y[0] = packed_subtract(a, c);
            x[half] = packed_add(b, d);
            y[half] = packed_subtract(b, d);
        }
    }
    return next;
}

static const int16_t *last_stage(uint32_t *z, size_t points, const int16_t *twiddles)
{
    const size_t half = points / 2;
    for (uint32_t *x = z; x < z + half; x++, twiddles += 2) {
        const uint32_t p = packed_halve(x[0]), q = multiplied(packed_halve(x[half]), packed_load(twiddles));
        x[0] = packed_add(p, q);
        x[half] = packed_subtract(p, q);
    }
    return twiddles;
}

/* The spectrum of the real values from that of the pairs, bins k and points - k at a time. */
static void split(uint32_t *z, size_t points, const int16_t *twiddles)
{
    for (size_t k = 1; k < points / 2; k++, twiddles += 2) {
        const uint32_t a = packed_halve(z[k]), mirror = z[points - k];
        const uint32_t b = packed_pair(packed_low(mirror) >> 1, -packed_high(mirror) >> 1);
        const uint32_t sum = packed_add(a, b);
        const uint32_t t = multiplied(packed_subtract(a, b), packed_load(twiddles));
        z[k] = packed_add(sum, t);
        z[points - k] = packed_pair(packed_low(sum) - packed_low(t), packed_high(t) - packed_high(sum));
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
