#include "pipeline/mfcc_stages.h"

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

    const int16_t *cosine = mfcc->cosines;
    for (size_t k = 1; k < mfcc->cepstra; k++, cosine += row) {
        int64_t product = 0;
        if (k % 2 == 0) {
            for (size_t j = 0; j < row; j++)
                product += (int64_t)log_mel[j] * cosine[j];
        } else { /* the middle filter's cosine is 0 */
            for (size_t j = 0; j < half; j++)
                product += (int64_t)log_mel[filters - 1 - j] * cosine[j];
        }
        cepstra[k] = (int32_t)(product >> 11) * mfcc->dct_other >> 10;
    }
}

void mfcc_lift(const mfcc_t *mfcc, int32_t *cepstra)
{
    for (size_t k = 0; k < mfcc->cepstra; k++)
        cepstra[k] = (int32_t)((int64_t)cepstra[k] * mfcc->lifter[k] >> 12);
}
