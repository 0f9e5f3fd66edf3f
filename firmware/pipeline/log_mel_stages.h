/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_LOG_MEL_STAGES_H
#define PIPELINE_LOG_MEL_STAGES_H

#include "dsp/dsp.h"
#include "pipeline/log_mel.h"

/* The steps of log_mel_frame(), in their order. */

/* Two samples, later a bin of the spectrum. */
typedef struct {
    int32_t re, im;
} log_mel_pair_t;

/* Pre-emphasis and window: fft / 2 pairs within 2^30, 2^(14 + shift) times the samples; returns the shift. */
int log_mel_window(const log_mel_t *mel, const int16_t *samples, log_mel_pair_t *pairs);

/* Pairs -> their spectrum over fft / 2, in place. */
void log_mel_fft(const log_mel_t *mel, log_mel_pair_t *pairs);

/* That -> bins 1..fft / 2 - 1 of the samples' spectrum over fft: its power in 64 bits, or 2^31 times its
 * magnitude, each in place of a pair. */
void log_mel_spectrum(const log_mel_t *mel, log_mel_pair_t *pairs);

/* Filters and logarithm. */
void log_mel_filters(const log_mel_t *mel, const log_mel_pair_t *bins, int shift, int32_t *values);

/* The place of the highest bit of a number above 0. */
static inline unsigned log_mel_highest_bit(uint64_t value)
{
    const uint32_t high = (uint32_t)(value >> 32);
    return high != 0 ? 32 + dsp_highest_bit(high) : dsp_highest_bit((uint32_t)value);
}

#endif
