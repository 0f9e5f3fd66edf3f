/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FIXED_POINT_H
#define NN_FIXED_POINT_H

#include "dsp/dsp.h"
#include <stdint.h>

/*
 * Logistic function and hyperbolic tangent in 16-bit fixed point, as TFLite's LSTM defines them: a Taylor
 * polynomial around -1/8 for a quarter's range, factors exp(-1/4), exp(-1/2) .. exp(-16) for the bits above
 * it, Newton's iteration for the reciprocal. Each rounding is part of the result. Qm.n: m integer bits, n
 * fractional bits, one sign bit; all in an int32_t, of the range of an int16_t.
 */

/* round(a * b / 2^15), halves up */
DSP_INLINE int32_t fixed_multiply(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

/* round(value / 2^bits), halves away from zero. bits: 1..30; |value| up to 2^30 */
DSP_INLINE int32_t fixed_shift(int32_t value, int32_t bits)
{
    return (value + (value >> 31) + (1 << (bits - 1))) >> bits;
}

DSP_INLINE int32_t fixed_limit(int32_t value)
{
    return value > INT16_MAX ? INT16_MAX : value;
}

/* exp(x) in Q0.15 of x <= 0 in Q(integer_bits).(15 - integer_bits). integer_bits: 1..7 */
DSP_INLINE int32_t fixed_exp(int32_t x, int32_t integer_bits)
{
    static const int16_t factors[] = {25520, 19875, 12055, 4435, 600, 11, 0}; /* exp(-1/4) .. exp(-16) */
    const int32_t eighth = 28918, third = 10923;                              /* exp(-1/8), 1/3 */
    const int32_t fraction_bits = 15 - integer_bits, quarter = 1 << (fraction_bits - 2);
    if (x == 0) {
        return INT16_MAX;
    }
    if (integer_bits > 5 && x < -(32 << fraction_bits)) {
        return 0;
    }
    int32_t low = (x & (quarter - 1)) - quarter; /* -1/4 <= low < 0 */
    int32_t x1 = low * (1 << integer_bits) + (1 << 12);
    int32_t x2 = fixed_multiply(x1, x1);
    int32_t x3 = fixed_multiply(x2, x1), x4 = fixed_multiply(x2, x2);
    int32_t tail = fixed_shift(fixed_multiply(fixed_shift(x4, 2) + x3, third) + x2, 1);
    int32_t result = fixed_limit(eighth + fixed_multiply(eighth, x1 + tail));
    int32_t quarters = (low - x) >> (fraction_bits - 2);
    for (int32_t i = 0; i < integer_bits + 2 && i < 7; i++) {
        if (quarters >> i & 1) {
            result = fixed_multiply(result, factors[i]);
        }
    }
    return result;
}

/* 2 / (1 + x) in Q2.13, x in Q0.15, 0 .. 1 */
DSP_INLINE int32_t fixed_reciprocal(int32_t x)
{
    int32_t half = (x + INT16_MAX + 1) >> 1;
    int32_t y = 23130 + fixed_multiply(half, -15420); /* 48/17 - 32/17 * half; the sign decides at a half */
    for (int32_t i = 0; i < 3; i++) {
        y += fixed_multiply(y, (1 << 13) - fixed_multiply(half, y)) * (1 << 2);
    }
    return y;
}

/* 1 / (1 + exp(-x)) in Q0.15 of x in Q3.12 */
DSP_INLINE int32_t fixed_logistic(int32_t x)
{
    if (x == 0) {
        return 1 << 14;
    }
    int32_t result = fixed_limit(fixed_reciprocal(fixed_exp(x < 0 ? x : -x, 3)) * 2);
    return x > 0 ? result : INT16_MAX - result;
}

/* tanh(x) in Q0.15 of x in Q(integer_bits).(15 - integer_bits). integer_bits: 0..6 */
DSP_INLINE int32_t fixed_tanh(int32_t x, int32_t integer_bits)
{
    if (x == 0) {
        return 0;
    }
    int32_t result = fixed_reciprocal(fixed_exp(x < 0 ? x : -x, integer_bits + 1)) - (1 << 13);
    result = fixed_limit(result * (1 << 2));
    return x > 0 ? result : -result;
}

#endif
