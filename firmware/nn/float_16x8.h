/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FLOAT_16X8_H
#define NN_FLOAT_16X8_H

#include "dsp/dsp.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/*
 * Floats to int16 and back without float arithmetic, with the bits of float32 division and of a product
 * rounded to float32. There are too many levels for a table. A float is significand * 2^(exponent - 150),
 * 24 bits and a biased exponent; the generator has seen that the scale is far from both ends of float32.
 */
typedef struct {
    int32_t count;
    uint32_t significand; /* of the scale: 2^23 .. 2^24 - 1 */
    int32_t exponent;     /* of the scale, biased */
} float_16x8_t;

/* a * 2^25 / b, rounded down. a, b: 2^23 .. 2^24 - 1 */
DSP_INLINE uint32_t float_16x8_quotient(uint32_t a, uint32_t b)
{
    static const int8_t bits[] = {8, 8, 8, 1};
    uint32_t quotient = a / b, left = a % b;
    for (int32_t i = 0; i < 4; i++) {
        quotient = quotient << bits[i] | (left << bits[i]) / b;
        left = (left << bits[i]) % b;
    }
    return quotient;
}

/* value / 2^bits to the nearest integer, halves to the even one. */
DSP_INLINE uint32_t float_16x8_nearest(uint64_t value, int32_t bits)
{
    const uint64_t half = (uint64_t)1 << bits >> 1;
    const uint32_t odd = (uint32_t)(value >> bits) & 1U;
    return (uint32_t)((value + half - (half != 0 && !odd)) >> bits);
}

/*
 * |x / scale| as float32 division has it, to the nearest integer, halves up; 32768 and more become that. A
 * half is an even float32, so that division, too, rounds up to it what lies half way below it: what is left
 * over makes no difference.
 */
DSP_INLINE int32_t float_16x8_level(const float_16x8_t *layer, uint32_t bits)
{
    const int32_t exponent = (int32_t)(bits >> 23 & 0xFFU);
    int32_t shift = exponent - layer->exponent - 25; /* of the quotient */
    if (exponent == 0 || shift < -27) {
        return 0;
    }
    if (exponent == 255 || shift > -9) {
        return 1 << 15;
    }
    const uint32_t quotient = float_16x8_quotient((bits & 0x7FFFFFU) | 0x800000U, layer->significand);
    const int32_t more = quotient >= 1U << 25 ? 2 : 1; /* bits beyond the 24 of a float32 */
    const uint32_t rounded = (quotient + (1U << (more - 1))) >> more;
    shift = -(shift + more);
    const uint32_t level = (rounded + (1U << (shift - 1))) >> shift;
    return level > 1 << 15 ? 1 << 15 : (int32_t)level;
}

/* output: int16, aligned to 2. Not a number becomes the end of its sign, as infinity does. */
KERNEL void float_16x8_quantize(const float_16x8_t *layer, const void *input, void *output)
{
    int16_t *to = output;
    for (int32_t i = 0; i < layer->count; i++) {
        uint32_t bits;
        memcpy(&bits, (const int8_t *)input + 4 * i, sizeof bits);
        const int32_t level = float_16x8_level(layer, bits);
        to[i] = (int16_t)(bits >> 31 ? -level : level > INT16_MAX ? INT16_MAX : level);
    }
}

/* input: int16, aligned to 2. */
KERNEL void float_16x8_dequantize(const float_16x8_t *layer, const void *input, void *output)
{
    const int16_t *from = input;
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t value = from[i];
        uint32_t bits = 0;
        if (value != 0) {
            const uint64_t product = (uint64_t)layer->significand * (uint32_t)(value < 0 ? -value : value);
            const int32_t more = (int32_t)dsp_highest_bit((uint32_t)(product >> 23)); /* beyond 24 bits */
            const uint32_t rounded = float_16x8_nearest(product, more);
            bits = (value < 0 ? 1U << 31 : 0) + ((uint32_t)(layer->exponent + more - 1) << 23) + rounded;
        }
        memcpy((int8_t *)output + 4 * i, &bits, sizeof bits);
    }
}

#endif
