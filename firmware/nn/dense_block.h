/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DENSE_BLOCK_H
#define NN_DENSE_BLOCK_H

#include "dsp/dsp.h"
#include <stdint.h>

/*
 * What dense layers are made of: the products of four outputs' weights with one vector of int16, eight inputs
 * at a time ("octets"; weights after the last input are 0).
 *
 * Weights of one byte: two outputs share a word as in nn/conv_block.h. The words of four outputs, in the
 * order of use: inputs (0, 1), (2, 3) of outputs 0 and 1, then of 2 and 3; 8 an octet.
 *
 * Weights of two bytes: the words of four outputs: inputs (0, 1), (2, 3) of each of the four; 16 an octet.
 */

#if DSP

/* clang-format off */
/* Four inputs of four outputs, of one byte: 13 instructions, 52 bytes of code. */
#define DENSE_BLOCK_QUAD(input0, input1)                                                                    \
    "ldmia  r0!, {r10, r11, r12, lr}    \n"                                                                 \
    "smlad  r3, r10, " input0 ", r3     \n"                                                                 \
    "sxtb16 r10, r10                    \n"                                                                 \
    "smlad  r5, r12, " input0 ", r5     \n"                                                                 \
    "sxtb16 r12, r12                    \n"                                                                 \
    "smlad  r2, r10, " input0 ", r2     \n"                                                                 \
    "smlad  r4, r12, " input0 ", r4     \n"                                                                 \
    "smlad  r3, r11, " input1 ", r3     \n"                                                                 \
    "sxtb16 r11, r11                    \n"                                                                 \
    "smlad  r5, lr, " input1 ", r5      \n"                                                                 \
    "sxtb16 lr, lr                      \n"                                                                 \
    "smlad  r2, r11, " input1 ", r2     \n"                                                                 \
    "smlad  r4, lr, " input1 ", r4      \n"
/* Four inputs of four outputs, of two bytes: 10 instructions, 40 bytes of code. */
#define DENSE_BLOCK_QUAD_INT16(input0, input1)                                                              \
    "ldmia  r0!, {r10, r11, r12, lr}    \n"                                                                 \
    "smlad  r2, r10, " input0 ", r2     \n"                                                                 \
    "smlad  r3, r12, " input0 ", r3     \n"                                                                 \
    "smlad  r2, r11, " input1 ", r2     \n"                                                                 \
    "smlad  r3, lr, " input1 ", r3      \n"                                                                 \
    "ldmia  r0!, {r10, r11, r12, lr}    \n"                                                                 \
    "smlad  r4, r10, " input0 ", r4     \n"                                                                 \
    "smlad  r5, r12, " input0 ", r5     \n"                                                                 \
    "smlad  r4, r11, " input1 ", r4     \n"                                                                 \
    "smlad  r5, lr, " input1 ", r5      \n"

/* Sums C become sums B. */
#define DENSE_BLOCK_WHOLE                                                                                   \
    "sub    r3, r3, r2                  \n"                                                                 \
    "sub    r5, r5, r4                  \n"                                                                 \
    "asr    r3, r3, #8                  \n"                                                                 \
    "asr    r5, r5, #8                  \n"
#define DENSE_BLOCK_NOTHING

/*
 * By hand, because it needs every register: r0 weights, r1 inputs, r2 to r5 sums, r6 to r9 inputs, r10 to lr
 * weights. Unrolled `times`, two or four, and entered where the octets left over say. The stack holds
 *     0 end of the weights    4 sums
 */
#define DENSE_BLOCK(name, quad, words, bytes, times, whole)                                                 \
    __attribute__((naked, noinline, unused)) static const uint32_t *name(                                   \
        const uint32_t *weights __attribute__((unused)), const int16_t *input __attribute__((unused)),      \
        int32_t octets __attribute__((unused)), int32_t sums[4] __attribute__((unused)))                    \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r3-r11, lr}                \n"                                                         \
            "add    r12, r0, r2, lsl #" words " \n"                                                         \
            "push   {r12}                       \n"                                                         \
            "rsb    r2, r2, #0                  \n"                                                         \
            "and    r2, r2, #" times " - 1       \n" /* octets of the first round to skip */                \
            "mov    r12, #" bytes "             \n"                                                         \
            "adr    lr, 1f                      \n"                                                         \
            "add    lr, lr, #1                  \n"                                                         \
            "mla    lr, r2, r12, lr             \n"                                                         \
            "mov    r2, #0                      \n"                                                         \
            "mov    r3, #0                      \n"                                                         \
            "mov    r4, #0                      \n"                                                         \
            "mov    r5, #0                      \n"                                                         \
            "bx     lr                          \n"                                                         \
            ".balign 4                          \n"                                                         \
            "1:     .rept " times "              \n"                                                        \
            "ldmia  r1!, {r6, r7, r8, r9}       \n"                                                         \
            quad("r6", "r7")                                                                                \
            quad("r8", "r9")                                                                                \
            "       .endr                       \n"                                                         \
            "ldr    r12, [sp, #0]               \n"                                                         \
            "cmp    r0, r12                     \n"                                                         \
            "bne.w  1b                          \n"                                                         \
            whole                                                                                           \
            "ldr    r12, [sp, #4]               \n"                                                         \
            "stm    r12, {r2, r3, r4, r5}       \n"                                                         \
            "add    sp, #8                      \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

/*
 * Sums of the products of `octets` (at least 1); returns the words after. Of weights of one byte so many
 * octets that no sum B leaves 24 bits.
 */
DENSE_BLOCK(dense_block, DENSE_BLOCK_QUAD, "5", "108", "2", DENSE_BLOCK_WHOLE)
DENSE_BLOCK(dense_block_int16, DENSE_BLOCK_QUAD_INT16, "6", "84", "4", DENSE_BLOCK_NOTHING)

#else

DSP_INLINE const uint32_t *dense_block(const uint32_t *weights, const int16_t *input, int32_t octets,
                                       int32_t sums[4])
{
    uint32_t wide[4] = {0};
    for (const uint32_t *end = weights + 8 * octets; weights != end; input += 4) {
        for (int32_t word = 0; word < 4; word++, weights++) {
            const int16_t *taps = input + word % 2 * 2;
            for (int32_t lane = 0; lane < 2; lane++) {
                int32_t both = (int16_t)(uint16_t)(*weights >> 16 * lane);
                wide[word / 2 * 2] += (uint32_t)((int8_t)(uint8_t)both * taps[lane]);
                wide[word / 2 * 2 + 1] += (uint32_t)(both * taps[lane]);
            }
        }
    }
    for (int32_t i = 0; i < 4; i += 2) {
        sums[i] = (int32_t)wide[i];
        sums[i + 1] = (int32_t)(wide[i + 1] - wide[i]) >> 8;
    }
    return weights;
}

DSP_INLINE const uint32_t *dense_block_int16(const uint32_t *weights, const int16_t *input, int32_t octets,
                                             int32_t sums[4])
{
    uint32_t wide[4] = {0};
    for (const uint32_t *end = weights + 16 * octets; weights != end; input += 4) {
        for (int32_t word = 0; word < 8; word++, weights++) {
            const int16_t *taps = input + word % 2 * 2;
            wide[word / 2] += (uint32_t)((int16_t)(uint16_t)*weights * taps[0]);
            wide[word / 2] += (uint32_t)((int16_t)(uint16_t)(*weights >> 16) * taps[1]);
        }
    }
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = (int32_t)wide[i];
    }
    return weights;
}

#endif

#endif
