/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/root.h"
#include "pipeline/log_mel_stages.h"
#include <string.h>

/* Real FFT of n values as a complex one of the n / 2 pairs (even, odd): radix-2 decimation in time. Every
 * butterfly halves its sums and rounds them once. A pair's absolute value starts below 2^30.5 and stays
 * there. */

/* e^(-2 pi i k / n) for k < n / 2, Q30. */
static inline log_mel_pair_t factor(const log_mel_t *mel, size_t k)
{
    const size_t quarter = mel->fft / 4;
    if (k <= quarter)
        return (log_mel_pair_t){mel->sines[quarter - k], -mel->sines[k]};
    return (log_mel_pair_t){-mel->sines[k - quarter], -mel->sines[2 * quarter - k]};
}

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

/* (p 2^30 + t) / 2^31, rounded. |p| 2^30 and |t| are below 2^61. */
static inline int32_t half_of(int32_t p, int64_t t)
{
    return (int32_t)(((int64_t)p * (1 << 30) + t + (1 << 30)) >> 31);
}

/* The same of a t that is q 2^30. */
static inline int32_t half_sum(int32_t p, int64_t q)
{
    return (int32_t)((p + q + 1) >> 1);
}

static void butterfly(log_mel_pair_t *x, log_mel_pair_t *y, log_mel_pair_t w)
{
    const int64_t re = (int64_t)y->re * w.re - (int64_t)y->im * w.im;
    const int64_t im = (int64_t)y->re * w.im + (int64_t)y->im * w.re;
    const log_mel_pair_t p = *x;
    *x = (log_mel_pair_t){half_of(p.re, re), half_of(p.im, im)};
    *y = (log_mel_pair_t){half_of(p.re, -re), half_of(p.im, -im)};
}

/* A butterfly whose factor is 1. */
static void sums(log_mel_pair_t *x, log_mel_pair_t *y)
{
    const log_mel_pair_t p = *x, q = *y;
    *x = (log_mel_pair_t){half_sum(p.re, q.re), half_sum(p.im, q.im)};
    *y = (log_mel_pair_t){half_sum(p.re, -(int64_t)q.re), half_sum(p.im, -(int64_t)q.im)};
}

void log_mel_fft(const log_mel_t *mel, log_mel_pair_t *pairs)
{
    const size_t points = mel->fft / 2;
    reverse(pairs, points);
    for (size_t half = 1; half < points; half *= 2) {
        for (log_mel_pair_t *x = pairs; x < pairs + points; x += 2 * half)
            sums(x, x + half);
        for (size_t j = 1; j < half; j++) {
            const log_mel_pair_t w = factor(mel, j * (points / half));
            for (log_mel_pair_t *x = pairs + j; x < pairs + points; x += 2 * half)
                butterfly(x, x + half, w);
        }
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

static void keep(const log_mel_t *mel, log_mel_pair_t *bin, int32_t re, int32_t im)
{
    uint64_t power = (uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im);
    if (mel->magnitude)
        power = magnitude(power);
    memcpy(bin, &power, sizeof power);
}

/* Bins k and n / 2 - k, from the spectra of the even and of the odd samples. A sum of two pairs is within
 * 2^31.5, and a bin of the spectrum, halved, within 2^30. */
void log_mel_spectrum(const log_mel_t *mel, log_mel_pair_t *pairs)
{
    const size_t points = mel->fft / 2;
    for (size_t k = 1; k <= points / 2; k++) {
        const log_mel_pair_t a = pairs[k], b = pairs[points - k], w = factor(mel, k);
        const int64_t even_re = (int64_t)a.re + b.re, even_im = (int64_t)a.im - b.im;
        const int64_t odd_re = (int64_t)a.im + b.im, odd_im = (int64_t)b.re - a.re;
        const int64_t re = odd_re * w.re - odd_im * w.im, im = odd_re * w.im + odd_im * w.re;
        const int64_t half = INT64_C(1) << 31, one = 1 << 30;
        keep(mel, &pairs[k], (int32_t)((even_re * one + re + half) >> 32),
             (int32_t)((even_im * one + im + half) >> 32));
        if (k != points - k)
            keep(mel, &pairs[points - k], (int32_t)((even_re * one - re + half) >> 32),
                 (int32_t)((im - even_im * one + half) >> 32));
    }
}
