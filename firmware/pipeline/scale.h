/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_SCALE_H
#define PIPELINE_SCALE_H

#include <stddef.h>
#include <stdint.h>

/* Cepstra -> 0..255: floor(255 * (x - minimum) / (maximum - minimum)), clamped; the exact floor for every
 * int32. */
typedef struct {
    size_t count; /* values a frame */
    int32_t minimum, maximum;
    uint64_t multiplier; /* 255 * 2^56 / (maximum - minimum), rounded up; the range is 1..2^28 */
} scale_t;

void scale_frame(const scale_t *scale, const int32_t *cepstra, uint8_t *features);

#endif
