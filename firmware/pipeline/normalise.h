/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_NORMALISE_H
#define PIPELINE_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* Of one value of a frame: the mean that is taken off, and 2^shift / deviation. */
typedef struct {
    int32_t mean;
    int32_t factor; /* 2^29 and more, below 2^30 */
    uint32_t shift; /* 1..63 */
} normalise_value_t;

/* A fixed mean and deviation for each value of a frame, as training found them: (x - mean) / deviation,
 * rounded, in the unit that the values had. */
typedef struct {
    size_t size;
    const normalise_value_t *of; /* size */
} normalise_t;

void normalise_frame(const normalise_t *normalise, int32_t *values);

#endif
