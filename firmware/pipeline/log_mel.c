/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/log_mel.h"
#include "pipeline/log_mel_stages.h"
#include <string.h>

void log_mel_reset(const log_mel_t *mel)
{
    mel->state->before = 0;
}

/* value / 2^shift, rounded. */
static int32_t shifted(int64_t value, int shift)
{
    if (shift <= 0)
        return (int32_t)(value * (INT64_C(1) << -shift));
    return (int32_t)((value + (INT64_C(1) << (shift - 1))) >> shift);
}

/* A difference is within 2^15 2^14 (1 + preemphasis) <= 2^30, and weights are at most 2^30. */
int log_mel_window(const log_mel_t *mel, const int16_t *samples, log_mel_pair_t *pairs)
{
    int32_t *out = &pairs->re, before = mel->carried != 0 ? mel->state->before : samples[0];
    int64_t peak = 0;
    for (size_t i = 0; i < mel->heard; i++) {
        const int32_t taken = (int32_t)((int64_t)mel->preemphasis * before >> 16);
        before = samples[i];
        out[i] = before * (1 << 14) - taken;
        const int64_t product = (int64_t)out[i] * mel->weights[i];
        const int64_t size = product < 0 ? -product : product;
        peak = size > peak ? size : peak;
    }
    if (mel->carried != 0)
        mel->state->before = samples[mel->carried - 1];

    const int shift = peak == 0 ? 0 : (int)log_mel_highest_bit((uint64_t)peak) - 29; /* to 2^29..2^30 */
    for (size_t i = 0; i < mel->heard; i++)
        out[i] = shifted((int64_t)out[i] * mel->weights[i], shift);
    memset(out + mel->heard, 0, (mel->fft - mel->heard) * sizeof *out);
    return 30 - shift;
}

void log_mel_frame(const log_mel_t *mel, const int16_t *samples, int32_t *values)
{
    log_mel_pair_t *pairs = mel->scratch;
    const int shift = log_mel_window(mel, samples, pairs);
    log_mel_fft(mel, pairs);
    log_mel_spectrum(mel, pairs);
    log_mel_filters(mel, pairs, shift, values);
}
