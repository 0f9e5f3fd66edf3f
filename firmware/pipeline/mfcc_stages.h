/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_MFCC_STAGES_H
#define PIPELINE_MFCC_STAGES_H

#include "pipeline/mfcc.h"

/* The steps of mfcc_frame(), in order. Complex numbers and pairs of samples are pairs of dsp/dsp.h. */

/* Pre-emphasis, window, zero padding: fft values in fft / 2 words. Returns the largest magnitude. */
int32_t mfcc_window(const mfcc_t *mfcc, const int16_t *samples, uint32_t *windowed);

/* Shifts the values left as far as int16 and 6 bits allow; returns by how much. */
unsigned mfcc_normalise(const mfcc_t *mfcc, int32_t peak, uint32_t *windowed);

/* Real FFT / fft: bins 0..fft/2-1 (bin 0 is not a bin of use), those above fft/4 conjugated. Input and output
 * are apart. */
void mfcc_fft(const mfcc_t *mfcc, const uint32_t *windowed, uint32_t *spectrum);

/* Natural logarithm, Q12, of 4096 times the power under each mel triangle. */
void mfcc_log_mel(const mfcc_t *mfcc, const uint32_t *spectrum, unsigned shift, int32_t *log_mel);

/* DCT-II. log_mel is overwritten. */
void mfcc_dct(const mfcc_t *mfcc, int32_t *log_mel, int32_t *cepstra);

void mfcc_lift(const mfcc_t *mfcc, int32_t *cepstra);

#endif
