/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/micro_frontend_stages.h"

/* Real FFT of n values as a complex one of the n / 2 pairs (even, odd): decimation in time by radix 4, and
 * first by radix 2 where the pairs are no power of 4. A butterfly divides its inputs by its radix, by a
 * product of 15 bits that is rounded, multiplies them by twiddles, the sum of two products being rounded
 * once, and adds them; sums wrap. These int16 are the contract. */

/* v (32767 / 4) / 2^15 of each half, rounded to nearest: the high half of 2 v 8191 + 2^15. */
static inline uint32_t quarter(uint32_t z)
{
    const uint32_t factor = 2 * 8191;
    return dsp_highs((uint32_t)dsp_low_low(z, factor, 0x8000),
                     (uint32_t)dsp_high_high(z, factor << 16, 0x8000));
}

/* The same by 2. */
static inline uint32_t half(uint32_t z)
{
    const uint32_t factor = 2 * 16383;
    return dsp_highs((uint32_t)dsp_low_low(z, factor, 0x8000),
                     (uint32_t)dsp_high_high(z, factor << 16, 0x8000));
}

/* z w. No sum leaves 32 bits: |z| |w| <= 2^15 sqrt(2) 2^15. */
static inline uint32_t times(uint32_t z, uint32_t w)
{
    const int32_t re = dsp_difference(z, w) + 0x4000;
    const int32_t im = dsp_dot(z, dsp_swap(w), 0x4000);
    return dsp_pair(re >> 15, im >> 15);
}

/* Butterfly of four values, `m` apart where they go: a, and b to d times their twiddles. */
static inline void store_four(uint32_t *z, size_t m, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t even = dsp_add(a, c), odd = dsp_add(b, d);
    const uint32_t even_turned = dsp_subtract(a, c), odd_turned = dsp_subtract(b, d);
    z[0] = dsp_add(even, odd);
    z[m] = dsp_subtract_turned(even_turned, odd_turned);
    z[2 * m] = dsp_subtract(even, odd);
    z[3 * m] = dsp_add_turned(even_turned, odd_turned);
}

/* The 2-bit digits of a word in the opposite order, its first ones at the top. */
static inline uint32_t digits_reversed(uint32_t word)
{
    const uint32_t bits = dsp_reversed(word);
    return (bits & 0x55555555U) << 1 | (bits >> 1 & 0x55555555U);
}

/* From natural order to that of the outputs. The twiddles of a first stage are 32767, which leaves values
 * that were divided as they are. Returns the distance of the next stage's butterflies. */
static size_t first_stage(const uint32_t *in, uint32_t *out, size_t points, unsigned shift)
{
    const uint32_t kept = 0xFFFFU >> shift, mask = kept | kept << 16;
    const unsigned bits = dsp_highest_bit((uint32_t)points);
    const size_t radix = (bits & 1U) != 0 ? 2 : 4;
    const size_t step = points / radix; /* between the inputs of a butterfly */
    const unsigned top = 32U - (bits & ~1U) + (radix == 4 ? 2U : 0U);
    for (size_t group = 0; group < step; group++, out += radix) {
        /* A shift by 32, of the one group that there may be, is none. */
        const uint32_t *from = in + (top < 32 ? digits_reversed((uint32_t)group) >> top : 0);
        if (radix == 4) {
            store_four(out, 1, quarter((from[0] & mask) << shift), quarter((from[step] & mask) << shift),
                       quarter((from[2 * step] & mask) << shift), quarter((from[3 * step] & mask) << shift));
        } else {
            const uint32_t a = half((from[0] & mask) << shift), b = half((from[step] & mask) << shift);
            out[0] = dsp_add(a, b);
            out[1] = dsp_subtract(a, b);
        }
    }
    return radix;
}

/* Bins of the real values from those of the pairs, k and points - k at a time; with k in the middle both are
 * one. */
static void split(uint32_t *z, size_t points, const int16_t *twiddles)
{
    uint32_t *mirror = z + points - 1;
    for (uint32_t *x = z + 1; x <= mirror; x++, mirror--, twiddles += 2) {
        const uint32_t conjugate = dsp_low_and_high(mirror[0], dsp_subtract(0, mirror[0]));
        const uint32_t p = half(x[0]), q = half(conjugate);
        const uint32_t sum = dsp_add(p, q);
        const uint32_t t = times(dsp_subtract(p, q), dsp_load_pair(twiddles));
        x[0] = dsp_mean(sum, t);
        mirror[0] = dsp_half_difference(dsp_low_and_high(sum, t), dsp_low_and_high(t, sum));
    }
}

void micro_frontend_fft(const micro_frontend_t *frontend, const uint32_t *windowed, unsigned shift,
                        uint32_t *spectrum)
{
    const size_t points = frontend->fft / 2;
    const int16_t *twiddles = frontend->twiddles;
    for (size_t m = first_stage(windowed, spectrum, points, shift); m < points; m *= 4) {
        const int16_t *next = twiddles;
        for (uint32_t *group = spectrum; group < spectrum + points; group += 4 * m) {
            next = twiddles;
            for (uint32_t *z = group; z < group + m; z++, next += 6) {
                const uint32_t b = times(quarter(z[m]), dsp_load_pair(next));
                const uint32_t c = times(quarter(z[2 * m]), dsp_load_pair(next + 2));
                const uint32_t d = times(quarter(z[3 * m]), dsp_load_pair(next + 4));
                store_four(z, m, quarter(z[0]), b, c, d);
            }
        }
        twiddles = next;
    }
    split(spectrum, points, twiddles);
}
