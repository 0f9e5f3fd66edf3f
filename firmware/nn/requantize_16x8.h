/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_REQUANTIZE_16X8_H
#define NN_REQUANTIZE_16X8_H

#include "nn/requantize.h"
#include <stdint.h>

/*
 * From the sums of a layer with 16-bit activations to its outputs, in the three ways of TFLite's reference
 * kernels (docs/exactness.md). There is no zero point in such models. A sum is the bias and all products.
 *
 *     reduced    biases of 64 bits: a multiplier of 16 bits, rounded once, halves up
 *     twice      biases of 32 bits: requantize_multiply, rounded twice; sums wrap modulo 2^32
 *     exact      dense layers: as a product in double, rounded to the nearest integer, halves away from zero
 *
 * Where the generator has proven that sums fit 32 bits, a reduced multiplier is one instruction of a
 * requantize_t: its multiplier is 2^(33 - shift) times the reduced one, or that itself.
 */
typedef struct {
    int64_t bias;
    int32_t multiplier; /* 0 .. 2^15 - 1 */
    int32_t shift;      /* bits to shift right, 8..46 */
} requantize_16x8_t;

typedef struct {
    int64_t bias;
    int64_t multiplier; /* 0, or 2^61 .. 2^62 - 1: the scale is multiplier * 2^(left - right - 64) */
    int32_t left;       /* 0..10; of sums of 32 bits, |sum| << left fits 32 bits, too */
    int32_t right;      /* 1..62; of sums of 32 bits 1..31 */
} requantize_exact_t;

/* Reduced, of a sum of 32 bits. */
DSP_INLINE int32_t requantize_narrow(int32_t sum, const requantize_t *channel)
{
    return dsp_multiply_add(sum, channel->multiplier, channel->offset) >> channel->right;
}

/* The nearest int16, and no less than 0 where `least` is 0; it is -1 elsewhere. */
DSP_INLINE int16_t requantize_int16(int32_t value, int32_t least)
{
#if DSP
    __asm__("ssat %0, #16, %0" : "+r"(value));
#else
    value = requantize_clamp(value, INT16_MIN, INT16_MAX);
#endif
    return (int16_t)(value & ~((value & ~least) >> 31));
}

DSP_INLINE int32_t requantize_twice(int32_t sum, const requantize_t *channel)
{
    return requantize_multiply(sum, channel->multiplier, channel->left - 1, channel->right);
}

/* Reduced, |sum| below 2^47. */
DSP_INLINE int32_t requantize_reduced(int64_t sum, const requantize_16x8_t *channel)
{
    return (int32_t)((sum * channel->multiplier + ((int64_t)1 << (channel->shift - 1))) >> channel->shift);
}

/* Exact, of a sum of 32 bits. */
DSP_INLINE int32_t requantize_exact_narrow(int32_t sum, const requantize_exact_t *channel)
{
    const uint32_t size = (sum < 0 ? -(uint32_t)sum : (uint32_t)sum) << channel->left;
    const uint64_t low = (uint64_t)size * (uint32_t)channel->multiplier;
    const uint64_t product = (uint64_t)size * (uint32_t)(channel->multiplier >> 32) + (low >> 32);
    const uint32_t half = 1U << (channel->right - 1);
    const int32_t value = (int32_t)(((uint32_t)(product >> 32) + half) >> channel->right);
    return sum < 0 ? -value : value;
}

/* floor(a * b / 2^64) */
DSP_INLINE uint64_t requantize_high_word(uint64_t a, uint64_t b)
{
    const uint32_t a0 = (uint32_t)a, a1 = (uint32_t)(a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)(b >> 32);
    const uint64_t low = (uint64_t)a0 * b0, cross = (uint64_t)a1 * b0 + (low >> 32);
    const uint64_t middle = (uint64_t)a0 * b1 + (uint32_t)cross;
    return (uint64_t)a1 * b1 + (cross >> 32) + (middle >> 32);
}

/* Exact, |sum| below 2^47. */
DSP_INLINE int32_t requantize_exact(int64_t sum, const requantize_exact_t *channel)
{
    const uint64_t size = (uint64_t)(sum < 0 ? -sum : sum) << channel->left;
    const uint64_t half = (uint64_t)1 << (channel->right - 1);
    const uint64_t high = requantize_high_word(size, (uint64_t)channel->multiplier);
    const int32_t value = (int32_t)((high + half) >> channel->right);
    return sum < 0 ? -value : value;
}

#endif
