/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CONV_BLOCK_DSP_H
#define NN_CONV_BLOCK_DSP_H

#include "nn/block_dsp.h"
#include "nn/conv_block.h"

/*
 * nn/conv_block.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by hand
 * because a block of two channels and three positions needs every register:
 *
 *     r0 weights    r1 block    r2 r3 r4 sums A    r5 r6 r7 sums C    r8 r9 weights    r10 r11 r12 taps
 *     lr end of this pair's dot product
 *
 * The dot products are unrolled eight times and entered where `steps` modulo 8 says. The stack holds
 *
 *     0 block    4 output    8 depth    12 end of all weights
 *     16 entry of the loop    20 bytes of a dot product's weights    24 what finishes a pair
 */

/* clang-format off */
/* Four taps of two channels at three positions: 17 instructions, 68 bytes of code. */
#define CONV_BLOCK_STEP                                                                                     \
    "ldrd   r8, r9, [r0], #8            \n"                                                                 \
    "ldmia  r1!, {r10, r11, r12}        \n"                                                                 \
    "smlad  r5, r8, r10, r5             \n"                                                                 \
    "smlad  r6, r8, r11, r6             \n"                                                                 \
    "smlad  r7, r8, r12, r7             \n"                                                                 \
    "sxtb16 r8, r8                      \n"                                                                 \
    "smlad  r2, r8, r10, r2             \n"                                                                 \
    "smlad  r3, r8, r11, r3             \n"                                                                 \
    "smlad  r4, r8, r12, r4             \n"                                                                 \
    "ldmia  r1!, {r10, r11, r12}        \n"                                                                 \
    "smlad  r5, r9, r10, r5             \n"                                                                 \
    "smlad  r6, r9, r11, r6             \n"                                                                 \
    "smlad  r7, r9, r12, r7             \n"                                                                 \
    "sxtb16 r9, r9                      \n"                                                                 \
    "smlad  r2, r9, r10, r2             \n"                                                                 \
    "smlad  r3, r9, r11, r3             \n"                                                                 \
    "smlad  r4, r9, r12, r4             \n"

/* Entered by a jump, left by one. */
__attribute__((naked, unused)) static void conv_block_loop(void)
{
    __asm__ volatile(
        "0:     .rept 8             \n"
        CONV_BLOCK_STEP
        "       .endr               \n"
        "cmp    r0, lr              \n"
        "bne.w  0b                  \n"
        "ldr    pc, [sp, #24]       \n");
}

/* 2 B of the second channel, in r5, r6, r7, times its multiplier, with what is added before the shift. */
#define CONV_BLOCK_POSITIVE_B                                                                               \
    "smmlar r5, r5, r8, r9              \n"                                                                 \
    "smmlar r6, r6, r8, r9              \n"                                                                 \
    "smmlar r7, r7, r8, r9              \n"
#define CONV_BLOCK_SIGNED_B                                                                                 \
    "add    r2, r9, r5, asr #31         \n"                                                                 \
    "add    r3, r9, r6, asr #31         \n"                                                                 \
    "add    r4, r9, r7, asr #31         \n"                                                                 \
    "smmlar r5, r5, r8, r2              \n"                                                                 \
    "smmlar r6, r6, r8, r3              \n"                                                                 \
    "smmlar r7, r7, r8, r4              \n"

/* All pairs of channels at three positions. */
#define CONV_BLOCK_PAIRS(name, away_a, high_b)                                                              \
    __attribute__((naked, noinline, unused)) static void name(                                              \
        const conv_block_t *layer __attribute__((unused)), const uint32_t *block __attribute__((unused)),   \
        int8_t *output __attribute__((unused)), void (*loop)(void) __attribute__((unused)))                 \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r4-r11, lr}                \n"                                                         \
            "sub    sp, #28                     \n"                                                         \
            "ldm    r0, {r4, r5, r6, r7}        \n" /* steps, depth, weights, end */                        \
            "rsb    r8, r4, #0                  \n"                                                         \
            "and    r8, r8, #7                  \n" /* steps of the first round to skip, 68 bytes each */   \
            "add    r8, r8, r8, lsl #4          \n"                                                         \
            "add    r8, r3, r8, lsl #2          \n"                                                         \
            "lsl    r9, r4, #3                  \n"                                                         \
            "adr    r10, 2f                     \n"                                                         \
            "add    r10, r10, #1                \n"                                                         \
            "strd   r1, r2, [sp, #0]            \n"                                                         \
            "strd   r5, r7, [sp, #8]            \n"                                                         \
            "strd   r8, r9, [sp, #16]           \n"                                                         \
            "str    r10, [sp, #24]              \n"                                                         \
            "mov    r0, r6                      \n"                                                         \
            "1:                                 \n"                                                         \
            "ldrd   r2, r5, [r0], #8            \n"                                                         \
            "ldrd   r8, r9, [sp, #16]           \n"                                                         \
            "ldr    r1, [sp, #0]                \n"                                                         \
            "add    lr, r0, r9                  \n"                                                         \
            BLOCK_BEGIN                                                                                     \
            BLOCK_CHANNEL BLOCK_HIGH(2, 3, 4) away_a(2, 3, 4) BLOCK_ADD(2, 3, 4) BLOCK_SHIFT(2, 3, 4)       \
            BLOCK_SSAT(2, 3, 4)                                                                             \
            "ldrd   r11, r12, [sp, #4]          \n" /* output, depth */                                     \
            "strb   r2, [r11]                   \n"                                                         \
            "strb   r3, [r11, r12]              \n"                                                         \
            "strb   r4, [r11, r12, lsl #1]      \n"                                                         \
            "asr    r5, r5, #7                  \n" /* 2 * B */                                             \
            "asr    r6, r6, #7                  \n"                                                         \
            "asr    r7, r7, #7                  \n"                                                         \
            BLOCK_CHANNEL high_b BLOCK_SHIFT(5, 6, 7) BLOCK_SSAT(5, 6, 7)                                   \
            "strb   r5, [r11, #1]!              \n"                                                         \
            "strb   r6, [r11, r12]              \n"                                                         \
            "strb   r7, [r11, r12, lsl #1]      \n"                                                         \
            "add    r11, r11, #1                \n"                                                         \
            "str    r11, [sp, #4]               \n"                                                         \
            "ldr    r8, [sp, #12]               \n"                                                         \
            "cmp    r0, r8                      \n"                                                         \
            "bne.w  1b                          \n"                                                         \
            "add    sp, #28                     \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

CONV_BLOCK_PAIRS(conv_block_positive, BLOCK_NOTHING, CONV_BLOCK_POSITIVE_B)
CONV_BLOCK_PAIRS(conv_block_signed, BLOCK_AWAY, CONV_BLOCK_SIGNED_B)

DSP_INLINE void conv_block_pairs(const conv_block_t *layer, const uint32_t *block, int8_t *output)
{
    if (layer->weights == layer->end) {
        return;
    }
    if (layer->keeps_negative) {
        conv_block_signed(layer, block, output, conv_block_loop);
    } else {
        conv_block_positive(layer, block, output, conv_block_loop);
    }
}

#endif
