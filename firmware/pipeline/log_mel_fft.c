/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "dsp/product.h"
#include "dsp/root.h"
#include "pipeline/log_mel_stages.h"

/* Real FFT of n values as a complex one of the n / 2 pairs (even, odd): radix-2 decimation in time. Every
 * butterfly halves its sums: of the one half its last bit is dropped, the products of the other are rounded.
 * A pair's absolute value starts below 2^30.5 and stays there. */

static void reverse(log_mel_pair_t *z, size_t points)
{
    const uint32_t step = UINT32_MAX / (uint32_t)points + 1; /* points is a power of 2 */
    uint32_t place = 0;                                      /* the pair's number, at the top of the word */
    for (size_t i = 0; i < points; i++, place += step) {
        const size_t other = dsp_reversed(place);
        if (other > i) {
            const log_mel_pair_t kept = z[i];
            z[i] = z[other];
            z[other] = kept;
        }
    }
}

/* q times c - i s, halved; c and s are Q31. */
static inline log_mel_pair_t half_product(log_mel_pair_t q, int32_t c, int32_t s)
{
    return (log_mel_pair_t){
        dsp_multiply_high(q.im, s, dsp_product_high(q.re, c)),
        dsp_product_off(q.re, s, dsp_product_high(q.im, c)),
    };
}

/* -value / 2, rounded. */
static inline int32_t half_negative(int32_t value)
{
    return dsp_product_high(value, INT32_MIN);
}

/* (p + q) / 2 and (p - q) / 2, whose sum is p: what is rounded has no mean. */
static inline void halves(int32_t p, int32_t q, int32_t *sum, int32_t *difference)
{
    *sum = (p >> 1) - half_negative(q);
    *difference = p - *sum;
}

/* A butterfly whose factor is 1. */
static inline void plain(log_mel_pair_t *x, log_mel_pair_t *y)
{
    const log_mel_pair_t p = *x, q = *y;
    halves(p.re, q.re, &x->re, &y->re);
    halves(p.im, q.im, &x->im, &y->im);
}

/* A butterfly whose factor is -i. */
static inline void quarter_turned(log_mel_pair_t *x, log_mel_pair_t *y)
{
    const log_mel_pair_t p = *x, q = *y;
    halves(p.re, q.im, &x->re, &y->re);
    halves(p.im, q.re, &y->im, &x->im);
}

/* Stages 1 and 2, whose factors are 1 and -i. */
static void first_stages(log_mel_pair_t *z, const log_mel_pair_t *end)
{
    for (; z < end; z += 4) {
        log_mel_pair_t a = z[0], b = z[1], c = z[2], d = z[3];
        plain(&a, &b);
        plain(&c, &d);
        plain(&a, &c);
        quarter_turned(&b, &d);
        z[0] = a;
        z[1] = b;
        z[2] = c;
        z[3] = d;
    }
}

/* Butterflies whose factors are 1, and -i half way between them. */
static void straight(log_mel_pair_t *x, const log_mel_pair_t *end, size_t half)
{
    for (; x < end; x += 2 * half) {
        plain(x, x + half);
        quarter_turned(x + half / 2, x + half / 2 + half);
    }
}

static inline log_mel_pair_t get(const log_mel_pair_t *from)
{
    log_mel_pair_t pair;
    dsp_get_two(&from->re, &pair.re, &pair.im);
    return pair;
}

static inline void put(log_mel_pair_t *to, int32_t re, int32_t im)
{
    dsp_put_two(&to->re, re, im);
}

/* Butterflies whose factors are c - i s, and -i times that half way on. */
static void turned(log_mel_pair_t *x, const log_mel_pair_t *end, size_t half, int32_t c, int32_t s)
{
    for (; x < end; x += 2 * half) {
        log_mel_pair_t *y = x + half;
        const log_mel_pair_t p = get(x), t = half_product(get(y), c, s);
        const log_mel_pair_t sum = {(p.re >> 1) + t.re, (p.im >> 1) + t.im};
        put(x, sum.re, sum.im);
        put(y, p.re - sum.re, p.im - sum.im);
        log_mel_pair_t *next = x + half / 2, *other = y + half / 2;
        const log_mel_pair_t r = get(next), u = half_product(get(other), c, s);
        const log_mel_pair_t second = {(r.re >> 1) + u.im, (r.im >> 1) - u.re};
        put(next, second.re, second.im);
        put(other, r.re - second.re, r.im - second.im);
    }
}

void log_mel_fft(const log_mel_t *mel, log_mel_pair_t *pairs)
{
    const size_t points = mel->fft / 2, quarter = mel->fft / 4;
    const log_mel_pair_t *end = pairs + points;
    reverse(pairs, points);
    first_stages(pairs, end);
    for (size_t half = 4; half < points; half *= 2) {
        straight(pairs, end, half);
        const size_t step = points / half;
        for (size_t j = 1; j < half / 2; j++) /* sines below 1: 31 bits */
            turned(pairs + j, end, half, mel->sines[quarter - j * step] * 2, mel->sines[j * step] * 2);
    }
}

/* 2^31 times the root of a power below 2^62: of at least 31 bits where that is not 0. */
static uint64_t magnitude(uint64_t power)
{
    if (power == 0)
        return 0;
    const unsigned halves = (61U - log_mel_highest_bit(power)) / 2;
    return ((uint64_t)dsp_root(power << 2 * halves) << 31) >> halves;
}

static inline void keep(bool root, log_mel_pair_t *bin, int32_t re, int32_t im)
{
    const uint64_t power = (uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im);
    dsp_put_wide(bin, root ? magnitude(power) : power);
}

/* Bins k and n / 2 - k, from the spectra of the even and of the odd samples, a quarter of their sum: within
 * 2^30. */
void log_mel_spectrum(const log_mel_t *mel, log_mel_pair_t *pairs)
{
    const size_t points = mel->fft / 2;
    const int32_t *sine = mel->sines + 1, *cosine = mel->sines + mel->fft / 4 - 1;
    const bool root = mel->magnitude;
    log_mel_pair_t *x = pairs + 1, *mirror = pairs + points - 1;
    for (; x < mirror; x++, mirror--) {
        const log_mel_pair_t a = get(x), b = get(mirror);
        const int32_t even_re = dsp_multiply_high(b.re, 1 << 30, dsp_product_high(a.re, 1 << 30));
        const int32_t even_im = dsp_multiply_high(b.im, -(1 << 30), dsp_product_high(a.im, 1 << 30));
        const log_mel_pair_t odd = {(a.im >> 1) - half_negative(b.im), half_negative(a.re) + (b.re >> 1)};
        const log_mel_pair_t t = half_product(odd, *cosine-- * 2, *sine++ * 2);
        keep(root, x, even_re + t.re, even_im + t.im);
        keep(root, mirror, even_re - t.re, t.im - even_im);
    }
    keep(root, x, x->re >> 1, -(x->im >> 1)); /* in the middle the factor is -i */
}
