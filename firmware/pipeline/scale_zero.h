/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_SCALE_ZERO_H
#define PIPELINE_SCALE_ZERO_H

#include "pipeline/scale.h"

/* scale_frame() with the quotient rounded up below 128: u - 128 is it rounded toward 0. */
void scale_zero_frame(const scale_t *scale, const int32_t *cepstra, uint8_t *features);

#endif
