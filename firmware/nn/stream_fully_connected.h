#ifndef NN_STREAM_FULLY_CONNECTED_H
#define NN_STREAM_FULLY_CONNECTED_H

#include "nn/fully_connected.h"
#include "nn/simd.h"
#include <stdint.h>

/*
 * Dense layer behind streams: the widened rows of all time, oldest first, times the weights. Two outputs
 * share a word of weights as in nn/stream_conv_2d.h. The words of four outputs, in the order of use: taps (0,
 * 1), taps (2, 3)            of outputs 0 and 1, then of 2 and 3; 4 * steps words
 */
typedef struct {
    fully_connected_t dense; /* its weights are not used, its input is int16 */
    fully_connected_form_t form;
    int32_t steps;           /* inputs / 4, rounded up to a multiple of 8 */
    int32_t most;            /* steps, a multiple of 8, after which a sum B may leave 24 bits */
    const uint32_t *weights; /* four outputs at a time; those behind the last are 0 */
} stream_fully_connected_t;

/* Adds four outputs' products to the sums A, C of two pairs; returns the words behind. */
SIMD_INLINE const uint32_t *stream_fully_connected_dot(const uint32_t *weights, const int16_t *input,
                                                       int32_t steps, int32_t sums[4])
{
    const uint32_t *end = weights + 4 * steps;
#if defined(__ARM_FEATURE_DSP)
    register uint32_t words0 __asm__("r4"), words1 __asm__("r5"), words2 __asm__("r6"), words3 __asm__("r8");
    uint32_t inputs0, inputs1, lanes;
    int32_t a0 = sums[0], c0 = sums[1], a1 = sums[2], c1 = sums[3];
    __asm__ volatile("1: .rept 8                                                        \n"
                     "ldmia  %[weights]!, {%[words0], %[words1], %[words2], %[words3]}  \n"
                     "ldrd   %[inputs0], %[inputs1], [%[input]], #8                     \n"
                     "sxtb16 %[lanes], %[words0]                                        \n"
                     "smlad  %[c0], %[words0], %[inputs0], %[c0]                        \n"
                     "smlad  %[a0], %[lanes], %[inputs0], %[a0]                         \n"
                     "sxtb16 %[lanes], %[words1]                                        \n"
                     "smlad  %[c0], %[words1], %[inputs1], %[c0]                        \n"
                     "smlad  %[a0], %[lanes], %[inputs1], %[a0]                         \n"
                     "sxtb16 %[lanes], %[words2]                                        \n"
                     "smlad  %[c1], %[words2], %[inputs0], %[c1]                        \n"
                     "smlad  %[a1], %[lanes], %[inputs0], %[a1]                         \n"
                     "sxtb16 %[lanes], %[words3]                                        \n"
                     "smlad  %[c1], %[words3], %[inputs1], %[c1]                        \n"
                     "smlad  %[a1], %[lanes], %[inputs1], %[a1]                         \n"
                     ".endr                                                             \n"
                     "cmp    %[weights], %[end]                                         \n"
                     "bne    1b                                                         \n"
                     : [weights] "+r"(weights), [input] "+r"(input), [a0] "+r"(a0), [c0] "+r"(c0),
                       [a1] "+r"(a1), [c1] "+r"(c1), [words0] "=&r"(words0), [words1] "=&r"(words1),
                       [words2] "=&r"(words2), [words3] "=&r"(words3), [inputs0] "=&r"(inputs0),
                       [inputs1] "=&r"(inputs1), [lanes] "=&r"(lanes), [end] "+r"(end)
                     :
                     : "cc", "memory");
    sums[0] = a0;
    sums[1] = c0;
    sums[2] = a1;
    sums[3] = c1;
#else
    uint32_t wide[4] = {(uint32_t)sums[0], (uint32_t)sums[1], (uint32_t)sums[2], (uint32_t)sums[3]};
    for (; weights != end; input += 4) {
        for (int32_t word = 0; word < 4; word++, weights++) {
            const int16_t *taps = input + word % 2 * 2;
            for (int32_t lane = 0; lane < 2; lane++) {
                int32_t both = (int16_t)(uint16_t)(*weights >> 16 * lane);
                wide[word / 2 * 2] += (uint32_t)((int8_t)(uint8_t)both * taps[lane]);
                wide[word / 2 * 2 + 1] += (uint32_t)(both * taps[lane]);
            }
        }
    }
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = (int32_t)wide[i];
    }
#endif
    return weights;
}

KERNEL void stream_fully_connected(const stream_fully_connected_t *layer, const int16_t *input,
                                   int8_t *output)
{
    const fully_connected_t *dense = &layer->dense;
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < dense->outputs; i += 4) {
        uint32_t totals[4] = {0};
        for (int32_t done = 0; done < layer->steps; done += layer->most) {
            int32_t left = layer->steps - done, sums[4] = {0};
            weights = stream_fully_connected_dot(weights, input + 4 * done,
                                                 left < layer->most ? left : layer->most, sums);
            totals[0] += (uint32_t)sums[0];
            totals[1] += (uint32_t)((int32_t)((uint32_t)sums[1] - (uint32_t)sums[0]) >> 8);
            totals[2] += (uint32_t)sums[2];
            totals[3] += (uint32_t)((int32_t)((uint32_t)sums[3] - (uint32_t)sums[2]) >> 8);
        }
        for (int32_t j = 0; j < 4 && i + j < dense->outputs; j++) {
            uint32_t sum = totals[j] + (uint32_t)fully_connected_bias(dense, i + j, layer->form);
            output[i + j] = fully_connected_output(dense, i + j, (int32_t)sum, layer->form);
        }
    }
}

#endif
