/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_MICRO_FRONTEND_STAGES_H
#define PIPELINE_MICRO_FRONTEND_STAGES_H

#include "pipeline/micro_frontend.h"

/* The steps of micro_frontend_frame(), in order. Complex numbers and pairs of samples are pairs of dsp/dsp.h.
 */

/* The window's weights, zero padding: fft values in fft / 2 words. Returns by how much the FFT may shift them
 * left. */
unsigned micro_frontend_window(const micro_frontend_t *frontend, const int16_t *samples, uint32_t *windowed);

/* Real FFT of the values shifted left by `shift`, divided by fft: bins 0..fft/2-1 (bin 0 is not a bin of
 * use). Input and output are apart. */
void micro_frontend_fft(const micro_frontend_t *frontend, const uint32_t *windowed, unsigned shift,
                        uint32_t *spectrum);

/* Square root of the power under each filter, `shift` taken back. */
void micro_frontend_filters(const micro_frontend_t *frontend, const uint32_t *spectrum, unsigned shift,
                            uint32_t *signal);

/* Takes the estimate of the noise off, after it has learnt from the signal. */
void micro_frontend_reduce_noise(const micro_frontend_t *frontend, uint32_t *signal);

/* Divides by the loudness of the estimate, roughly: per-channel amplitude normalisation, PCAN. */
void micro_frontend_control_gain(const micro_frontend_t *frontend, uint32_t *signal);

/* Natural logarithms, 2^log_shift of them a unit, or the values themselves; 0..65535. */
void micro_frontend_log(const micro_frontend_t *frontend, const uint32_t *signal, int32_t *values);

#endif
