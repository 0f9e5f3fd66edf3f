#include "pipeline/mfcc.h"
#include "pipeline/mfcc_stages.h"
#include "pipeline/packed.h"

/* (y[n] - preemphasis y[n-1]) / 2, weighted. Each product of samples is within 2^30, so their difference
 * fits. */
static inline int32_t weighted(int32_t sample, int32_t previous, int32_t preemphasis, int32_t weight)
{
    const int32_t emphasised = (sample * 32768 - preemphasis * previous) >> 16;
    return (emphasised * weight) >> 14;
}

int32_t mfcc_window(const mfcc_t *mfcc, const int16_t *samples, uint32_t *windowed)
{
    const int32_t preemphasis = mfcc->preemphasis;
    const int16_t *weights = mfcc->weights;
    const size_t pairs = mfcc->window / 2;
    int32_t previous = 0, lowest = 0, highest = 0;
    for (size_t i = 0; i < pairs; i++) {
        const int32_t even = samples[2 * i], odd = samples[2 * i + 1];
        const int32_t first = weighted(even, previous, preemphasis, weights[2 * i]);
        const int32_t second = weighted(odd, even, preemphasis, weights[2 * i + 1]);
        windowed[i] = packed_pair(first, second);
        lowest = first < lowest ? first : lowest;
        highest = first > highest ? first : highest;
        lowest = second < lowest ? second : lowest;
        highest = second > highest ? second : highest;
        previous = odd;
    }
    size_t filled = pairs;
    if (mfcc->window % 2 != 0) {
        const int32_t last = weighted(samples[2 * pairs], previous, preemphasis, weights[2 * pairs]);
        windowed[filled++] = packed_pair(last, 0);
        lowest = last < lowest ? last : lowest;
        highest = last > highest ? last : highest;
    }
    for (; filled < mfcc->fft / 2; filled++)
        windowed[filled] = 0;
    return highest > -lowest ? highest : -lowest;
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
    for (size_t i = 0; i < (mfcc->window + 1) / 2; i++)
        windowed[i] = (windowed[i] & mask) << shift;
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
