/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_REQUANTIZE_H
#define NN_REQUANTIZE_H

#include "dsp/dsp.h"
#include <stdint.h>

/*
 * From an accumulator's scale to the output's: sum * multiplier * 2^(left - right - 31) + zero point, rounded
 * twice as TFLite's reference kernels do: to the nearest 1/2^right, then to the nearest step, halves away
 * from zero (see docs/exactness.md). Integers only; sums wrap modulo 2^32 as int32 accumulators do.
 */
typedef struct {
    int32_t bias; /* where the accumulator starts: the layer's bias, with the input's zero point folded in */
    int32_t multiplier; /* 0, or 2^30 .. 2^31 - 1 */
    int32_t offset;     /* what the last shift makes of it: the zero point, and a half to round */
    int16_t left;       /* bits to shift left before the multiplication, and one more: 1..31 */
    int16_t right;      /* bits to shift right last: 0..31 */
} requantize_t;

/* The same, rounded once to the nearest step, halves away from zero: sum * multiplier / 2^bits. */
typedef struct {
    int64_t multiplier; /* the product with any sum of the layer is below 2^62 */
    int32_t bias;
    int32_t bits; /* 1..62 */
} requantize_wide_t;

/* round(a * b / 2^31), halves up; not for -2^31 times itself. */
DSP_INLINE int32_t requantize_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* round(value / 2^bits), halves away from zero. bits: 0..62 */
DSP_INLINE int32_t requantize_shift(int32_t value, int32_t bits)
{
    if (bits == 0) {
        return value;
    }
    return (int32_t)(((int64_t)value + (value >> 31) + ((int64_t)1 << (bits - 1))) >> bits);
}

/* round(round(value * 2^left * multiplier / 2^31) / 2^right) */
DSP_INLINE int32_t requantize_multiply(int32_t value, int32_t multiplier, int32_t left, int32_t right)
{
    return requantize_shift(requantize_high((int32_t)((uint32_t)value << left), multiplier), right);
}

DSP_INLINE int32_t requantize_clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The accumulator as an int8 output, for any multiplier, zero point and clamp. */
DSP_INLINE int8_t requantize_int8(int32_t sum, const requantize_t *channel, int32_t zero_point, int32_t low,
                                  int32_t high)
{
    int32_t value = requantize_multiply(sum, channel->multiplier, channel->left - 1, channel->right);
    return (int8_t)requantize_clamp((int32_t)((uint32_t)value + (uint32_t)zero_point), low, high);
}

/*
 * The same in few instructions, where the generator has seen that |sum| << left stays below 2^31, right is at
 * least 1, nothing overflows offset, and the clamp is that of an int8. A sum below zero rounds its halves
 * down: one less in offset does that, and changes nothing else.
 */
DSP_INLINE int8_t requantize_fast(int32_t sum, const requantize_t *channel)
{
    int32_t offset = channel->offset + (sum >> 31);
    int32_t high = dsp_multiply_high((int32_t)((uint32_t)sum << channel->left), channel->multiplier, offset);
    return dsp_saturate(high >> channel->right);
}

/*
 * Rounded once, in few instructions, with a multiplier of which the generator has seen that it puts every
 * step of the output at the right sum, and the conditions of requantize_fast.
 */
DSP_INLINE int8_t requantize_once(int32_t sum, const requantize_t *channel)
{
    int32_t high =
        dsp_multiply_add((int32_t)((uint32_t)sum << channel->left), channel->multiplier, channel->offset);
    return dsp_saturate(high >> channel->right);
}

/* Rounded once, any multiplier, zero point and clamp. */
DSP_INLINE int8_t requantize_wide(int32_t sum, const requantize_wide_t *channel, int32_t zero_point,
                                  int32_t low, int32_t high)
{
    int64_t half = (int64_t)1 << (channel->bits - 1);
    int64_t value = ((sum * channel->multiplier + half + (sum >> 31)) >> channel->bits) + zero_point;
    return (int8_t)(value < low ? low : value > high ? high : value);
}

#endif
