/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DOT_16X8_H
#define NN_DOT_16X8_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>

/*
 * Sums of products of 16-bit inputs with 8-bit weights: what convolutions and dense layers with 16-bit
 * activations end in. Two output channels share a word of weights, their bytes at two taps by turns:
 *
 *     channel a tap 0    channel b tap 0    channel a tap 1    channel b tap 1
 *
 * so that a sign extension of bytes 0 and 2, or 1 and 3, makes the pair that meets two inputs as they lie in
 * memory: these are never unpacked. Taps come in fours, two words; those that fill up have the weight 0.
 * Sums of 32 bits wrap modulo 2^32; where the generator cannot prove that they fit, they have 64.
 */

/* sum + a.low * b.low + a.high * b.high */
DSP_INLINE int64_t dot_16x8_add(uint32_t a, uint32_t b, int64_t sum)
{
#if DSP
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
#else
    return sum + (int64_t)(dsp_low(a) * dsp_low(b)) + (int64_t)(dsp_high(a) * dsp_high(b));
#endif
}

/* Both channels at one position. inputs: 4 * steps, aligned to 4; sums: begun with the biases */
DSP_INLINE void dot_16x8_one(const uint32_t *weights, const int16_t *inputs, int32_t steps, int32_t sums[2])
{
    int32_t a = sums[0], b = sums[1];
    const void *next = inputs;
    for (const uint32_t *end = weights + 2 * steps; weights != end;) {
        uint32_t w0, w1, x0, x1;
        weights = dsp_load_two(weights, &w0, &w1);
        next = dsp_load_two(next, &x0, &x1);
        a = dsp_dot(dsp_even(w0), x0, a);
        b = dsp_dot(dsp_odd(w0), x0, b);
        a = dsp_dot(dsp_even(w1), x1, a);
        b = dsp_dot(dsp_odd(w1), x1, b);
    }
    sums[0] = a;
    sums[1] = b;
}

/*
 * Two forms of it. dot_16x8_pairs: this pair of channels and the next one, at one position. dot_16x8_three:
 * both channels at three positions, whose inputs stand in a block by turns, two taps a word (nn/widen.h):
 *
 *     taps 0, 1 of position 0    of position 1    of position 2    taps 2, 3 of position 0    ...
 *
 * sums: of the first channel at each position, then of the second.
 */
#if DSP
#include "nn/dot_16x8_dsp.h"
#else

DSP_INLINE void dot_16x8_pairs(const uint32_t *weights, const int16_t *inputs, int32_t steps, int32_t sums[4])
{
    dot_16x8_one(weights, inputs, steps, sums);
    dot_16x8_one(weights + 2 * steps, inputs, steps, sums + 2);
}

DSP_INLINE void dot_16x8_three(const uint32_t *weights, const uint32_t *block, int32_t sums[6], int32_t steps)
{
    for (int32_t i = 0; i < 2 * steps; i++) {
        for (int32_t position = 0; position < 3; position++, block++) {
            sums[position] = dsp_dot(dsp_even(weights[i]), *block, sums[position]);
            sums[3 + position] = dsp_dot(dsp_odd(weights[i]), *block, sums[3 + position]);
        }
    }
}

#endif

/* Both channels at one position, in 64 bits. */
DSP_INLINE void dot_16x8_wide(const uint32_t *weights, const int16_t *inputs, int32_t steps, int64_t sums[2])
{
    int64_t a = sums[0], b = sums[1];
    const void *next = inputs;
    for (const uint32_t *end = weights + 2 * steps; weights != end;) {
        uint32_t w0, w1, x0, x1;
        weights = dsp_load_two(weights, &w0, &w1);
        next = dsp_load_two(next, &x0, &x1);
        a = dot_16x8_add(dsp_even(w0), x0, a);
        b = dot_16x8_add(dsp_odd(w0), x0, b);
        a = dot_16x8_add(dsp_even(w1), x1, a);
        b = dot_16x8_add(dsp_odd(w1), x1, b);
    }
    sums[0] = a;
    sums[1] = b;
}

#endif
