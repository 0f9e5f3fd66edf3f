#include "pipeline/mfcc.h"
#include "pipeline/mfcc_stages.h"
#include "pipeline/packed.h"

/* (x[n] - preemphasis x[n-1]) / 2 is the high half of x[n] 2^15 - preemphasis x[n-1]: each term is within
 * 2^30. */
static inline uint32_t weighted(uint32_t samples, uint32_t previous, uint32_t factor, uint32_t weights)
{
    const int32_t even = (int32_t)(samples << 16) >> 1, odd = (int32_t)(samples & 0xFFFF0000U) >> 1;
    const uint32_t first = (uint32_t)packed_low_high(factor, previous, even);
    const uint32_t second = (uint32_t)packed_low_low(factor, samples, odd);
    return packed_pair(packed_low_high(weights, first, 0) >> 14, packed_high_high(weights, second, 0) >> 14);
}

int32_t mfcc_window(const mfcc_t *mfcc, const int16_t *samples, uint32_t *windowed)
{
    const uint32_t factor = packed_pair(-mfcc->preemphasis, 0);
    const int16_t *weights = mfcc->weights;
    const size_t pairs = mfcc->window / 2, last = 2 * pairs;
    uint32_t previous = 0, smallest = 0, largest = 0;
    for (size_t i = 0; i < pairs; i++) {
        const uint32_t pair = packed_load(samples + 2 * i);
        const uint32_t value = weighted(pair, previous, factor, packed_load(weights + 2 * i));
        windowed[i] = value;
        smallest = packed_smaller(value, smallest);
        largest = packed_larger(value, largest);
        previous = pair;
    }
    size_t filled = pairs;
    if (mfcc->window % 2 != 0) {
        const uint32_t pair = packed_pair(samples[last], 0), weight = packed_pair(weights[last], 0);
        const uint32_t value = weighted(pair, previous, factor, weight);
        windowed[filled++] = value;
        smallest = packed_smaller(value, smallest);
        largest = packed_larger(value, largest);
    }
    for (; filled < mfcc->fft / 2; filled++)
        windowed[filled] = 0;

    return packed_magnitude(smallest, largest);
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
