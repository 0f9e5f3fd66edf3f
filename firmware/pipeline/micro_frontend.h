/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_MICRO_FRONTEND_H
#define PIPELINE_MICRO_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TensorFlow Lite Micro's audio front end, bit for bit: one window -> a value a filter. What lasts from
 * window to window is an estimate of the noise under each filter. docs/front_end.md has the formulas. */
typedef struct {
    size_t window;           /* samples, 33..4096, at most fft and more than its half */
    size_t fft;              /* points: a power of 2, 64..4096 */
    size_t filters;          /* 1..128 */
    size_t first;            /* bin where the lowest band begins */
    const int16_t *weights;  /* window: Hann, Q12, then zeros up to a multiple of 4; aligned to 4 */
    const int16_t *twiddles; /* pairs cos, -sin, Q15, in the order of micro_frontend_fft.c; aligned to 4 */
    const uint16_t *bands; /* filters + 1: bins of each; filter n falls over band n + 1, rises over band n */
    const uint16_t *bank;  /* a pair a bin: the falling weight of a band, the rising one, Q12 */
    const uint16_t *log2;  /* 129: log2(1 + i / 128) - i / 128, Q16 */
    uint32_t smoothing[2]; /* share of a new value in the estimate of even and of odd filters, Q14 */
    uint32_t remaining;    /* least share of a signal that noise reduction leaves, Q14 */
    unsigned smoothing_bits; /* of the estimate after its point, 0..15 */
    const int16_t *gains;    /* PCAN: 125, in the order of micro_frontend_gain.c; NULL: no gain control */
    unsigned gain_shift;     /* of signal times gain, 0..31 */
    bool log;                /* false: the values stay linear */
    unsigned log_shift;      /* of the logarithm, 0..16 */
    int correction;          /* log2(fft) - 6, -1..6: what the FFT took off */
    uint32_t *estimate;      /* state: filters */
    void *scratch;           /* 4 * fft bytes, aligned to 4; free between calls */
} micro_frontend_t;

/* Forgets the noise. */
void micro_frontend_reset(const micro_frontend_t *frontend);

/* window samples -> filters values 0..65535. The samples are aligned to 4 bytes and readable, of any value,
 * up to a multiple of 4. */
void micro_frontend_frame(const micro_frontend_t *frontend, const int16_t *samples, int32_t *values);

#endif
