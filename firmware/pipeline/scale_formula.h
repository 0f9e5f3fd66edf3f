/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_SCALE_FORMULA_H
#define PIPELINE_SCALE_FORMULA_H

#include <stddef.h>
#include <stdint.h>

/* Values of the front end, 0..65535 -> 0..255 by a publisher's formula, rounded down:
 * (value * factor + addend) / divisor, 255 where it is more. */
typedef struct {
    size_t count;                     /* values a frame */
    uint32_t factor, addend, divisor; /* factor 1..2^15, addend below 2^31 */
} scale_formula_t;

void scale_formula_frame(const scale_formula_t *scale, const int32_t *values, uint8_t *features);

#endif
