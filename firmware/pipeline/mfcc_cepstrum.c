/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/mfcc_stages.h"
#include <stdbool.h>

/* Every other cepstrum from `first` on, two at a time: they read the same sums or differences, the `count`
 * values from `values` on, `step` apart. */
static void two_rows(const mfcc_t *mfcc, size_t first, const int32_t *values, ptrdiff_t step, size_t count,
                     int32_t *cepstra)
{
    const size_t row = (mfcc->filters + 1) / 2;
    for (size_t k = first; k < mfcc->cepstra; k += 4) {
        const bool two = k + 2 < mfcc->cepstra;
        const int16_t *cosine = mfcc->cosines + (k - 1) * row, *other = two ? cosine + 2 * row : cosine;
        const int32_t *value = values;
        int64_t product = 0, other_product = 0;
        for (const int16_t *end = cosine + count; cosine < end; value += step) {
            product += (int64_t)*value * *cosine++;
            other_product += (int64_t)*value * *other++;
        }
        cepstra[k] = (int32_t)(product >> 11) * mfcc->dct_other >> 10;
        if (two)
            cepstra[k + 2] = (int32_t)(other_product >> 11) * mfcc->dct_other >> 10;
    }
}

/* The cosines of an even cepstrum are symmetric about the middle filter, those of an odd one antisymmetric:
 * sums and differences of mirrored filters first, then half the products. A logarithm is within 0..181667 (64
 * bits), so with up to 128 filters cepstrum 0 stays below 2^31 before its last shift; the others, whose
 * cosines cancel the mean, are within 23500 * filters after the first shift. */
void mfcc_dct(const mfcc_t *mfcc, int32_t *log_mel, int32_t *cepstra)
{
    const size_t filters = mfcc->filters, half = filters / 2, row = (filters + 1) / 2;
    int32_t sum = 0;
    for (size_t j = 0; j < filters; j++)
        sum += log_mel[j];
    cepstra[0] = (sum >> 1) * mfcc->dct_first >> 10;

    for (size_t j = 0; j < half; j++) {
        const int32_t left = log_mel[j] >> 1, right = log_mel[filters - 1 - j] >> 1;
        log_mel[j] = left + right;
        log_mel[filters - 1 - j] = left - right;
    }
    if (row != half)
        log_mel[half] >>= 1;

    two_rows(mfcc, 1, log_mel + filters - 1, -1, half, cepstra); /* the middle filter's cosine is 0 */
    two_rows(mfcc, 2, log_mel, 1, row, cepstra);
}

void mfcc_lift(const mfcc_t *mfcc, int32_t *cepstra)
{
    for (size_t k = 0; k < mfcc->cepstra; k++)
        cepstra[k] = (int32_t)((int64_t)cepstra[k] * mfcc->lifter[k] >> 12);
}
