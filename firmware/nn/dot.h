#ifndef NN_DOT_H
#define NN_DOT_H

#include "nn/simd.h"
#include <stdint.h>

/*
 * Products of two output channels' weights with windows of the input. A window is `runs` runs of `length`
 * consecutive bytes (a multiple of 4), `step` bytes apart. Weights lie in the order of use: four bytes of the
 * first channel, four of the second. Sums start at what they hold.
 */
typedef struct {
    int32_t runs, length, step;
} dot_window_t;

/* Two channels, one window: sums[0], sums[1]. */
SIMD_INLINE void dot_2x1(const int8_t *weights, const int8_t *input, const dot_window_t *window,
                         int32_t sums[2])
{
    int32_t sum0 = sums[0], sum1 = sums[1];
    for (int32_t run = 0; run < window->runs; run++) {
        const int8_t *end = input + window->length;
        for (const int8_t *next = input; next < end; next += 4) {
            uint32_t weights0 = simd_load(weights), weights1 = simd_load(weights + 4),
                     bytes = simd_load(next);
            uint32_t even = simd_even(bytes), odd = simd_odd(bytes);
            sum0 = simd_dot(simd_even(weights0), even, sum0);
            sum1 = simd_dot(simd_even(weights1), even, sum1);
            sum0 = simd_dot(simd_odd(weights0), odd, sum0);
            sum1 = simd_dot(simd_odd(weights1), odd, sum1);
            weights += 8;
        }
        input += window->step;
    }
    sums[0] = sum0;
    sums[1] = sum1;
}

/* Two channels, two windows that lie `column` bytes apart: sums[2 * window + channel]. */
SIMD_INLINE void dot_2x2(const int8_t *weights, const int8_t *input, const dot_window_t *window,
                         int32_t column, int32_t sums[4])
{
    int32_t sum00 = sums[0], sum01 = sums[1], sum10 = sums[2], sum11 = sums[3];
    for (int32_t run = 0; run < window->runs; run++) {
        const int8_t *end = input + window->length;
        for (const int8_t *next = input; next < end; next += 4) {
            uint32_t weights0 = simd_load(weights), weights1 = simd_load(weights + 4);
            uint32_t even0 = simd_even(weights0), even1 = simd_even(weights1);
            uint32_t odd0 = simd_odd(weights0), odd1 = simd_odd(weights1);
            uint32_t bytes = simd_load(next);
            uint32_t even = simd_even(bytes), odd = simd_odd(bytes);
            sum00 = simd_dot(even0, even, sum00);
            sum01 = simd_dot(even1, even, sum01);
            sum00 = simd_dot(odd0, odd, sum00);
            sum01 = simd_dot(odd1, odd, sum01);
            bytes = simd_load(next + column);
            even = simd_even(bytes);
            odd = simd_odd(bytes);
            sum10 = simd_dot(even0, even, sum10);
            sum11 = simd_dot(even1, even, sum11);
            sum10 = simd_dot(odd0, odd, sum10);
            sum11 = simd_dot(odd1, odd, sum11);
            weights += 8;
        }
        input += window->step;
    }
    sums[0] = sum00;
    sums[1] = sum01;
    sums[2] = sum10;
    sums[3] = sum11;
}

#endif
