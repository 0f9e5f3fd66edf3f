#ifndef NN_STREAM_FULLY_CONNECTED_INT16_H
#define NN_STREAM_FULLY_CONNECTED_INT16_H

#include "nn/fully_connected.h"
#include "nn/simd.h"
#include <stdint.h>

/*
 * nn/stream_fully_connected.h with weights widened to int16: twice the flash, a quarter fewer instructions.
 * The words of four outputs, in the order of use: taps (0, 1), taps (2, 3) of each of the four; 8 * steps
 * words.
 */
typedef struct {
    fully_connected_t dense; /* its weights are not used, its input is int16 */
    fully_connected_form_t form;
    int32_t steps;           /* inputs / 4, rounded up to a multiple of 8 */
    const uint32_t *weights; /* four outputs at a time; those behind the last are 0 */
} stream_fully_connected_int16_t;

/* Four outputs' products; returns the words behind. */
SIMD_INLINE const uint32_t *stream_fully_connected_int16_dot(const uint32_t *weights, const int16_t *input,
                                                             int32_t steps, int32_t sums[4])
{
    const uint32_t *end = weights + 8 * steps;
#if defined(__ARM_FEATURE_DSP)
    register uint32_t words0 __asm__("r4"), words1 __asm__("r5"), words2 __asm__("r6"), words3 __asm__("r8");
    uint32_t inputs0, inputs1;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    __asm__ volatile("1: .rept 8                                                        \n"
                     "ldmia  %[weights]!, {%[words0], %[words1], %[words2], %[words3]}  \n"
                     "ldrd   %[inputs0], %[inputs1], [%[input]], #8                     \n"
                     "smlad  %[sum0], %[words0], %[inputs0], %[sum0]                    \n"
                     "smlad  %[sum1], %[words2], %[inputs0], %[sum1]                    \n"
                     "smlad  %[sum0], %[words1], %[inputs1], %[sum0]                    \n"
                     "smlad  %[sum1], %[words3], %[inputs1], %[sum1]                    \n"
                     "ldmia  %[weights]!, {%[words0], %[words1], %[words2], %[words3]}  \n"
                     "smlad  %[sum2], %[words0], %[inputs0], %[sum2]                    \n"
                     "smlad  %[sum3], %[words2], %[inputs0], %[sum3]                    \n"
                     "smlad  %[sum2], %[words1], %[inputs1], %[sum2]                    \n"
                     "smlad  %[sum3], %[words3], %[inputs1], %[sum3]                    \n"
                     ".endr                                                             \n"
                     "cmp    %[weights], %[end]                                         \n"
                     "bne.w  1b                                                         \n"
                     : [weights] "+r"(weights), [input] "+r"(input), [sum0] "+r"(sum0), [sum1] "+r"(sum1),
                       [sum2] "+r"(sum2), [sum3] "+r"(sum3), [words0] "=&r"(words0), [words1] "=&r"(words1),
                       [words2] "=&r"(words2), [words3] "=&r"(words3), [inputs0] "=&r"(inputs0),
                       [inputs1] "=&r"(inputs1), [end] "+r"(end)
                     :
                     : "cc", "memory");
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
#else
    uint32_t wrapped[4] = {0};
    for (; weights != end; input += 4) {
        for (int32_t word = 0; word < 8; word++, weights++) {
            const int16_t *taps = input + word % 2 * 2;
            wrapped[word / 2] += (uint32_t)((int16_t)(uint16_t)*weights * taps[0]);
            wrapped[word / 2] += (uint32_t)((int16_t)(uint16_t)(*weights >> 16) * taps[1]);
        }
    }
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = (int32_t)wrapped[i];
    }
#endif
    return weights;
}

KERNEL void stream_fully_connected_int16(const stream_fully_connected_int16_t *layer, const int16_t *input,
                                         int8_t *output)
{
    const fully_connected_t *dense = &layer->dense;
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < dense->outputs; i += 4) {
        int32_t sums[4];
        weights = stream_fully_connected_int16_dot(weights, input, layer->steps, sums);
        for (int32_t j = 0; j < 4 && i + j < dense->outputs; j++) {
            uint32_t sum = (uint32_t)sums[j] + (uint32_t)fully_connected_bias(dense, i + j, layer->form);
            output[i + j] = fully_connected_output(dense, i + j, (int32_t)sum, layer->form);
        }
    }
}

#endif
