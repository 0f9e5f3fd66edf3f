/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_DISTANCE_H
#define MLPERF_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* How far an autoencoder's output is from what it was given: the mean of the squared differences, in
 * thousandths, rounded to the nearest.
 *
 * floats: `count` of them, 4 bytes each, little-endian; taken as multiples of 1/65536, and as 8191 beyond it
 *   either way
 * values: what each level of the output stands for, in 65536ths, within the same bounds
 * count: 1 to 1024
 *
 * Integers alone. An input is off by 2^-17 at most, so the mean by as much as the mean difference times 2^-16
 * (values: exact where they are multiples of 1/65536, else off by as much). */
int64_t distance(const uint8_t *floats, const int8_t *output, const int32_t *values, size_t count);

#endif
