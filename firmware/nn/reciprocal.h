/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_RECIPROCAL_H
#define NN_RECIPROCAL_H

#include "nn/requantize.h"
#include <stdint.h>

/*
 * 1 / (1 + fraction) in Q0.31, fraction from 0 to 1 in Q0.31. The start 48/17 - 32/17 x (Q2.29) and the three
 * Newton steps in Q2.29 are part of TFLite's definition of the result.
 */
DSP_INLINE int32_t reciprocal_of_one_plus(int32_t fraction)
{
    int32_t half = (int32_t)(((int64_t)fraction + INT32_MAX + 1) >> 1);
    int32_t x = requantize_high(-1010580540, half) + 1515870810;
    for (int i = 0; i < 3; i++) {
        int32_t product = requantize_high(half, x);
        int32_t error = (1 << 29) - product;
        x += (int32_t)((uint32_t)requantize_high(x, error) << 2);
    }
    return x >= (1 << 30) ? INT32_MAX : x <= -(1 << 30) ? INT32_MIN : x * 2;
}

#endif
