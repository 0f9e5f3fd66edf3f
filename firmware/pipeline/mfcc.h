/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_MFCC_H
#define PIPELINE_MFCC_H

#include <stddef.h>
#include <stdint.h>

/* Bins of the spectrum under one mel triangle. */
typedef struct {
    uint16_t first, count;
} mfcc_filter_t;

/* Kaldi's MFCC in fixed point: one window -> cepstra, no state between windows. docs/front_end.md has the
 * formulas of the tables and the limits within which no sum below leaves its type. */
typedef struct {
    size_t window;             /* samples, 2..4096, at most fft */
    size_t fft;                /* points: 128, 256, 512, 1024, 2048 or 4096 */
    size_t filters;            /* 1..128, at most fft / 2 */
    size_t cepstra;            /* kept, 1..filters */
    int32_t preemphasis;       /* Q15, 0..32768 */
    const int16_t *weights;    /* window: Povey, Q14, then zeros up to a multiple of 4; aligned to 4 */
    const int16_t *twiddles;   /* pairs cos, -sin, Q15, in the order of mfcc_fft.c; aligned to 4 */
    const mfcc_filter_t *bank; /* filters */
    const uint16_t *mel;       /* weights of all filters in turn, Q12 */
    const int16_t *log2;       /* 64: log2(1 + i / 64), Q12 */
    const uint8_t *log_add;    /* log_add_count: ln(1 + e^(-i / 256)), Q8 */
    size_t log_add_count;
    uint32_t power_bits;    /* a bin's power counts 2^(12 + power_bits) where nothing was shifted: 4..10 */
    int32_t floor;          /* of a filter's logarithm, Q12 */
    const int16_t *cosines; /* (cepstra - 1) rows of (filters + 1) / 2: the left half of the DCT-II, Q11 */
    int32_t dct_first, dct_other; /* sqrt(1 / filters), sqrt(2 / filters), Q11 */
    const int32_t *lifter;        /* cepstra, Q12 */
    int32_t energy_offset;        /* taken from cepstrum 0 */
    void *scratch;                /* 4 * fft bytes, aligned to 4; free between calls */
} mfcc_t;

/* window samples -> cepstra values, 4096 times Kaldi's. The samples are aligned to 4 bytes and readable, of
 * any value, up to a multiple of 4. */
void mfcc_frame(const mfcc_t *mfcc, const int16_t *samples, int32_t *cepstra);

#endif
