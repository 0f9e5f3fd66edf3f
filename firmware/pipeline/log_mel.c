/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/log_mel.h"
#include "dsp/product.h"
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

/* A sample less `preemphasis` of the one before, 2^14 times: within 2^15 2^14 (1 + preemphasis) <= 2^30. */
static inline int32_t emphasized(int32_t preemphasis, int16_t before, int16_t sample)
{
    return sample * (1 << 14) - dsp_product_wide(preemphasis, before);
}

/* The bits of a product with a weight, without its low 32, and without its sign. */
static inline uint32_t high_bits(int32_t value, int32_t weight)
{
    const int32_t high = (int32_t)((int64_t)value * weight >> 32);
    return (uint32_t)(high ^ (high >> 31));
}

/* Pre-emphasis, two samples at a time. Returns high_bits of all products; weights are at most 2^30. */
static uint32_t emphasize(const log_mel_t *mel, const int16_t *samples, int32_t *out)
{
    const int32_t preemphasis = mel->preemphasis, *weights = mel->weights;
    const size_t heard = mel->heard;
    int16_t before = mel->carried != 0 ? mel->state->before : samples[0];
    uint32_t bits = 0;
    size_t i = 0;
    for (; i + 2 <= heard; i += 2) {
        const int16_t sample = samples[i], next = samples[i + 1];
        const int32_t first = emphasized(preemphasis, before, sample);
        const int32_t second = emphasized(preemphasis, sample, next);
        bits |= high_bits(first, weights[i]) | high_bits(second, weights[i + 1]);
        out[i] = first;
        out[i + 1] = second;
        before = next;
    }
    if (i < heard) {
        out[i] = emphasized(preemphasis, before, samples[i]);
        bits |= high_bits(out[i], weights[i]);
    }
    if (mel->carried != 0)
        mel->state->before = samples[mel->carried - 1];
    return bits;
}

/* Values times weights, shifted by 1 to 31, two at a time. */
static void weigh(const log_mel_t *mel, int32_t *values, int shift)
{
    const int32_t *weight = mel->weights;
    int32_t *const end = values + mel->heard / 2 * 2;
    for (; values != end; values += 2, weight += 2) {
        const int64_t first = (int64_t)values[0] * weight[0], second = (int64_t)values[1] * weight[1];
        values[0] = dsp_shifted(first, shift);
        values[1] = dsp_shifted(second, shift);
    }
    if (mel->heard % 2 != 0)
        values[0] = dsp_shifted((int64_t)values[0] * weight[0], shift);
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
        weigh(mel, out, shift);
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
