/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/mfcc.h"
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/mfcc_stages.h"

/* The largest magnitude among the values that these are the smallest and the largest of; 0 is taken to be
 * one. */
static inline int32_t magnitude(uint32_t smallest, uint32_t largest)
{
    int32_t most = 0;
    most = dsp_low(largest) > most ? dsp_low(largest) : most;
    most = dsp_high(largest) > most ? dsp_high(largest) : most;
    most = -dsp_low(smallest) > most ? -dsp_low(smallest) : most;
    return -dsp_high(smallest) > most ? -dsp_high(smallest) : most;
}

/* value / 2^16, rounded down, times a weight. */
static inline int32_t high_times(int32_t value, int32_t weight)
{
    return (value >> 16) * weight;
}

/* A pair of samples after pre-emphasis and window: (x[n] - preemphasis x[n-1]) / 2 is the high half of
 * x[n] 2^15 - preemphasis x[n-1]. `factors`: -2^15 and -preemphasis; the sums are within 2^31. */
static inline uint32_t weighted(uint32_t pair, uint32_t previous, uint32_t factors, uint32_t weights)
{
    const int32_t first = -dsp_difference(dsp_low_and_high(pair, previous), factors);
    const int32_t second = dsp_cross_difference(pair, factors);
    return dsp_quotients(high_times(first, dsp_low(weights)), high_times(second, dsp_high(weights)));
}

int32_t mfcc_window(const mfcc_t *mfcc, const int16_t *samples, uint32_t *windowed)
{
    const uint32_t factors = dsp_pair(-32768, -mfcc->preemphasis);
    const int16_t *from = samples, *weights = mfcc->weights;
    const uint32_t *end = windowed + mfcc->fft / 2;
    uint32_t previous = 0, smallest = 0, largest = 0;
    for (size_t done = 0; done < mfcc->window; done += 4) { /* after the window the weights are 0 */
        uint32_t pair, next, weight, next_weight;
        from = dsp_load_two(from, &pair, &next);
        weights = dsp_load_two(weights, &weight, &next_weight);
        const uint32_t first = weighted(pair, previous, factors, weight);
        const uint32_t second = weighted(next, pair, factors, next_weight);
        windowed = dsp_store_two(windowed, first, second);
        smallest = dsp_smaller(second, dsp_smaller(first, smallest));
        largest = dsp_larger(second, dsp_larger(first, largest));
        previous = next;
    }
    while (windowed < end)
        windowed = dsp_store_two(windowed, 0, 0);
    return magnitude(smallest, largest);
}

unsigned mfcc_normalise(const mfcc_t *mfcc, int32_t peak, uint32_t *windowed)
{
    unsigned shift = 0;
    while (shift < 6 && peak << shift < 16384)
        shift++;
    if (shift == 0)
        return 0;
    const uint32_t kept = 0xFFFFU >> shift;
    const uint32_t mask = kept | kept << 16;
    const uint32_t *end = windowed + (mfcc->window + 1) / 2;
    while (windowed < end) { /* some zeros after the window too: fft / 2 divides by 4 */
        uint32_t a, b, c, d;
        dsp_load_two(dsp_load_two(windowed, &a, &b), &c, &d);
        windowed = dsp_store_two(windowed, (a & mask) << shift, (b & mask) << shift);
        windowed = dsp_store_two(windowed, (c & mask) << shift, (d & mask) << shift);
    }
    return shift;
}

void mfcc_frame(const mfcc_t *mfcc, const int16_t *samples, int32_t *cepstra)
{
    uint32_t *windowed = mfcc->scratch;
    uint32_t *spectrum = windowed + mfcc->fft / 2;
    const int32_t peak = mfcc_window(mfcc, samples, windowed);
    const unsigned shift = mfcc_normalise(mfcc, peak, windowed);
    mfcc_fft(mfcc, windowed, spectrum);
    int32_t *log_mel = mfcc->scratch; /* the window's samples are used up */
    mfcc_log_mel(mfcc, spectrum, shift, log_mel);
    mfcc_dct(mfcc, log_mel, cepstra);
    mfcc_lift(mfcc, cepstra);
    cepstra[0] -= mfcc->energy_offset;
}
