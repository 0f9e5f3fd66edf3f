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

/* The same for shifts of 1 to 31, and results of 32 bits. */
static inline int32_t shifted_word(int64_t value, int shift)
{
    const uint64_t rounded = (uint64_t)(value + (INT64_C(1) << (shift - 1)));
    return (int32_t)((uint32_t)(rounded >> 32) << (32 - shift) | (uint32_t)rounded >> shift);
}

/* Pre-emphasis, 2^14 times. Returns the bits of the largest product with a weight, without its low 32. A
 * difference is within 2^15 2^14 (1 + preemphasis) <= 2^30, and weights are at most 2^30. */
static uint32_t emphasize(const log_mel_t *mel, const int16_t *samples, int32_t *out)
{
    int32_t before = mel->carried != 0 ? mel->state->before : samples[0];
    uint32_t bits = 0;
    for (size_t i = 0; i < mel->heard; i++) {
        const int32_t taken = (int32_t)((int64_t)mel->preemphasis * (before * (1 << 16)) >> 32);
        before = samples[i];
        out[i] = before * (1 << 14) - taken;
        const int32_t high = (int32_t)((int64_t)out[i] * mel->weights[i] >> 32);
        bits |= (uint32_t)(high ^ (high >> 31));
    }
    if (mel->carried != 0)
        mel->state->before = samples[mel->carried - 1];
    return bits;
}

/* The place of the highest bit of the largest product, where it is in the low 32; 29: all are 0. */
static int highest_low(const log_mel_t *mel, const int32_t *values)
{
    uint64_t peak = 0;
    for (size_t i = 0; i < mel->heard; i++) {
        const int64_t product = (int64_t)values[i] * mel->weights[i];
        const uint64_t size = (uint64_t)(product < 0 ? -product : product);
        peak = size > peak ? size : peak;
    }
    return peak == 0 ? 29 : (int)log_mel_highest_bit(peak);
}

int log_mel_window(const log_mel_t *mel, const int16_t *samples, log_mel_pair_t *pairs)
{
    int32_t *out = &pairs->re;
    const uint32_t bits = emphasize(mel, samples, out);
    const int highest = bits != 0 ? 32 + (int)dsp_highest_bit(bits) : highest_low(mel, out);
    const int shift = highest - 29; /* to 2^29..2^30 */
    if (bits != 0) {
        for (size_t i = 0; i < mel->heard; i++)
            out[i] = shifted_word((int64_t)out[i] * mel->weights[i], shift);
    } else {
        for (size_t i = 0; i < mel->heard; i++)
            out[i] = shifted((int64_t)out[i] * mel->weights[i], shift);
    }
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
