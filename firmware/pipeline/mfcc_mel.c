/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/mfcc_stages.h"

enum {
    LOG_OF_ZERO = -2829416, /* Q12, far below every other logarithm */
    LOG_2 = 2839,           /* ln 2, Q12 */
    LOG_2_32 = 90852        /* 32 ln 2, Q12 */
};

/* The six bits under the highest are the table's index. The product is below 2^17 * 2839 < 2^29. */
static inline int32_t logarithm(const int16_t *log2, uint32_t value)
{
    if (value == 0)
        return LOG_OF_ZERO;
    const unsigned bit = dsp_highest_bit(value);
    const uint32_t below = value << (31U - bit) & 0x7FFFFFFFU;
    return (((int32_t)bit << 12) + log2[below >> 25]) * LOG_2 >> 12;
}

/* ln(e^a + e^b) */
static inline int32_t log_add(const mfcc_t *mfcc, int32_t a, int32_t b)
{
    const int32_t difference = a - b;
    const int32_t larger = difference < 0 ? b : a;
    const size_t distance = (size_t)(difference < 0 ? -difference : difference) >> 4;
    return distance < mfcc->log_add_count ? larger + mfcc->log_add[distance] * 16 : larger;
}

/* A bin's power is at most 2^31, a weight 2^12. Parseval's theorem bounds the power of all bins: the values'
 * mean square is below 2^30, half of it lies in these bins, so a filter's sum is below 2^41 and, times the
 * power's scale 2^(2 (6 - shift) + power_bits) <= 2^22, below 2^63. Larger ones, if there were any,
 * would wrap. */
void mfcc_log_mel(const mfcc_t *mfcc, const uint32_t *spectrum, unsigned shift, int32_t *log_mel)
{
    const uint16_t *weight = mfcc->mel;
    const unsigned scale = 2 * (6 - shift) + mfcc->power_bits;
    const int32_t floor = mfcc->floor;
    for (size_t filter = 0; filter < mfcc->filters; filter++) {
        const uint32_t *bin = spectrum + mfcc->bank[filter].first;
        size_t count = mfcc->bank[filter].count;
        uint64_t energy = 0;
        for (; count >= 4; count -= 4) {
            uint32_t a, b, c, d;
            bin = dsp_load_two(dsp_load_two(bin, &a, &b), &c, &d);
            energy = dsp_accumulate(energy, dsp_power(a), *weight++);
            energy = dsp_accumulate(energy, dsp_power(b), *weight++);
            energy = dsp_accumulate(energy, dsp_power(c), *weight++);
            energy = dsp_accumulate(energy, dsp_power(d), *weight++);
        }
        for (; count > 0; count--)
            energy = dsp_accumulate(energy, dsp_power(*bin++), *weight++);
        energy <<= scale;
        const int32_t high = logarithm(mfcc->log2, (uint32_t)(energy >> 32)) + LOG_2_32;
        const int32_t low = logarithm(mfcc->log2, (uint32_t)energy);
        const int32_t sum = log_add(mfcc, high, low);
        log_mel[filter] = sum > floor ? sum : floor;
    }
}
