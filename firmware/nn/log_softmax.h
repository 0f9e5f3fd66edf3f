/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LOG_SOFTMAX_H
#define NN_LOG_SOFTMAX_H

#include "nn/reciprocal.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * Logarithm of the softmax of each row, int8 to int8 with scale 1/16 and zero point 127: each value's
 * difference to the row's largest, less the logarithm of the sum of all exp(difference). The exponential of
 * every difference is in a table, as TFLite's fixed-point exponential makes it.
 */
typedef struct {
    const int32_t *exponential; /* [reach], Q12.19; beyond it the exponential is 0, and the result -128 */
    int32_t reach;              /* 1..256 */
    int32_t multiplier, left;   /* of a difference, to Q5.26 */
    int32_t rows, depth;
} log_softmax_t;

/* value * 2^bits, at most INT32_MAX. value: from 0 */
DSP_INLINE int32_t log_softmax_shift(int32_t value, int32_t bits)
{
    return value > INT32_MAX >> bits ? INT32_MAX : (int32_t)((uint32_t)value << bits);
}

/*
 * Logarithm in Q5.26 of a sum in Q12.19, at least 1.0: that of a power of 2^(1/2), and a rational
 * approximation of that of the rest, which lies around 2^(-1/4). Each rounding is part of TFLite's
 * definition.
 */
DSP_INLINE int32_t log_softmax_log(int32_t sum)
{
    const int32_t root = 1518500250, fourth_root = 1805811301, log_2 = 1488522236; /* of 1/2; Q0.31 */
    const int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769, alpha_f = 638450708;
    /* the rest and the power, rounded down to a whole power of 2, and from half of one */
    int32_t zeros = __builtin_clz((uint32_t)sum);
    int32_t rest = log_softmax_shift(requantize_high((int32_t)((uint32_t)sum << (zeros - 1)), root), 1);
    int32_t power = (12 - zeros) * (1 << 25) + (1 << 23); /* Q6.25 */
    int32_t zeros_b = __builtin_clz((uint32_t)requantize_high(sum, root)) - 1;
    int32_t rest_b = log_softmax_shift(sum, zeros_b);
    int32_t power_b = (12 - zeros_b) * (1 << 25) - (1 << 23);
    rest = rest_b < rest ? rest_b : rest;
    power = power_b > power ? power_b : power;

    int32_t p = (int32_t)(((int64_t)rest + fourth_root + 1) >> 1);
    int32_t q = (rest - fourth_root) * 2;
    int32_t square = requantize_high(q, q);
    int32_t numerator = requantize_high(q, rest) + requantize_high(requantize_high(q, square), alpha_n);
    int32_t denominator = requantize_high(p, alpha_i + q + requantize_high(alpha_d, square)) +
                          requantize_high(alpha_f, q); /* less 1 */
    int32_t quotient = requantize_high(requantize_shift(numerator, 6), reciprocal_of_one_plus(denominator));
    return (requantize_high(power, log_2) + quotient) * 2;
}

/* May work in place. */
KERNEL void log_softmax(const log_softmax_t *layer, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; row++) {
        int32_t largest = -128;
        for (int32_t i = 0; i < layer->depth; i++) {
            largest = input[i] > largest ? input[i] : largest;
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < layer->depth; i++) {
            int32_t below = largest - input[i];
            sum += below < layer->reach ? layer->exponential[below] : 0;
        }
        int32_t whole = log_softmax_log(sum);
        for (int32_t i = 0; i < layer->depth; i++) {
            int32_t below = largest - input[i], value = -128;
            if (below < layer->reach) {
                int32_t part = requantize_multiply(-below, layer->multiplier, layer->left, 0);
                value = requantize_clamp(requantize_shift(part - whole, 22) + 127, -128, 127);
            }
            output[i] = (int8_t)value;
        }
        input += layer->depth;
        output += layer->depth;
    }
}

#endif
