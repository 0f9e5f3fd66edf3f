/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_LOG_MEL_H
#define PIPELINE_LOG_MEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A filter over bins of the spectrum: log2 of what one of its units is in the publisher's, Q20. */
typedef struct {
    uint16_t first, count;
    int32_t unit;
} log_mel_filter_t;

/* A number that is added to a filter's sum, in its units: mantissa 2^exponent. */
typedef struct {
    uint32_t mantissa; /* 2^31 and more */
    int32_t exponent;
} log_mel_addend_t;

typedef struct {
    int16_t before; /* the sample before the window, for pre-emphasis */
} log_mel_state_t;

/* Logarithms of mel energies: one window -> a value a filter. docs/front_end.md has the formulas. */
typedef struct {
    size_t heard;        /* samples of a window, from its first, that the FFT takes: 2..4096, at most fft */
    size_t carried;      /* samples to the next window, at most its size; 0: pre-emphasis within the window */
    size_t fft;          /* points: a power of 2, 64..4096 */
    size_t filters;      /* 1..128 */
    int32_t preemphasis; /* Q30, 0..2^30 */
    const int32_t *weights;          /* heard: the window, Q30 */
    const int32_t *sines;            /* fft / 4 + 1: of 2 pi i / fft, Q30 */
    bool magnitude;                  /* false: power */
    const log_mel_filter_t *bank;    /* filters */
    const uint16_t *mel;             /* weights of all filters in turn, the largest of each 65535 */
    const log_mel_addend_t *addends; /* filters; NULL: nothing is added */
    const int32_t *log2;             /* 129: log2(1 + i / 128), Q20 */
    int32_t floor;                   /* of the logarithm to the base 2, Q20 */
    int32_t unit;                    /* of the publisher's logarithm to one of base 2, Q24 */
    log_mel_state_t *state;
    void *scratch; /* 4 * fft bytes, aligned to 8; free between calls */
} log_mel_t;

/* Forgets the sample before. */
void log_mel_reset(const log_mel_t *mel);

/* A window's samples -> filters values, 65536 times the publisher's logarithm. */
void log_mel_frame(const log_mel_t *mel, const int16_t *samples, int32_t *values);

#endif
