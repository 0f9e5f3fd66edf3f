/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_WINDOW_DSP_H
#define NN_DEPTHWISE_WINDOW_DSP_H

#include "nn/depthwise_window.h"

/*
 * nn/depthwise_window.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by
 * hand because two points of four channels fill the registers:
 *
 *     r0 words    r1 input    r2 tap_step    r3 end of the pairs    r4 r5 r6 r7 sums
 *     r8 r9 r12 lr input    r10 r11 weights
 *
 * The stack holds
 *
 *     0 input of these channels    4 output    8 tap_step    12 pairs    16 odd    20 channels left
 */

/* clang-format off */
/* An output from its sum, and the next place. */
#define DEPTHWISE_WINDOW_CHANNEL(x)                                                                         \
    "ldmia  r0!, {r8, r9, r10}          \n"                                                                 \
    "add    r9, r9, r" #x ", asr #31    \n"                                                                 \
    "smmlar r" #x ", r" #x ", r8, r" #x "\n"                                                                \
    "add    r" #x ", r" #x ", r9        \n"                                                                 \
    "asr    r" #x ", r" #x ", r10       \n"                                                                 \
    "ssat   r" #x ", #8, r" #x "        \n"                                                                 \
    "strb   r" #x ", [r1], #1           \n"

/* All channels of a window. */
__attribute__((naked, noinline, unused)) static void depthwise_window_channels(
    const depthwise_window_t *layer __attribute__((unused)), const int8_t *input __attribute__((unused)),
    int8_t *output __attribute__((unused)))
{
    __asm__ volatile(
        "push   {r4-r11, lr}                 \n"
        "sub    sp, #24                      \n"
        "stm    sp, {r1, r2}                 \n"
        "ldm    r0, {r0, r1, r2, r3, r4}     \n" /* words, depth, tap_step, pairs, odd */
        "strd   r2, r3, [sp, #8]             \n"
        "strd   r4, r1, [sp, #16]            \n"
        "1:                                  \n" /* four channels */
        "ldm    r0!, {r4-r7}                 \n" /* biases */
        "ldr    r1, [sp]                     \n"
        "ldrd   r2, r3, [sp, #8]             \n"
        "adds   r3, r3, r1                   \n"
        "cmp    r1, r3                       \n"
        "beq    3f                           \n"
        "2:                                  \n" /* two points */
        "ldr    r8, [r1]                     \n"
        "ldr    r9, [r1, r2]                 \n"
        "ldrd   r10, r11, [r0], #8           \n"
        "add    r1, r1, r2, lsl #1           \n"
        "pkhbt  r12, r8, r9, lsl #16         \n"
        "pkhtb  r9, r9, r8, asr #16          \n"
        "sxtb16 r8, r10                      \n"
        "sxtb16 lr, r12                      \n"
        "smlad  r4, r8, lr, r4               \n"
        "sxtb16 r10, r10, ror #8             \n"
        "sxtb16 r12, r12, ror #8             \n"
        "smlad  r5, r10, r12, r5             \n"
        "sxtb16 r8, r11                      \n"
        "sxtb16 lr, r9                       \n"
        "smlad  r6, r8, lr, r6               \n"
        "sxtb16 r11, r11, ror #8             \n"
        "sxtb16 r9, r9, ror #8               \n"
        "smlad  r7, r11, r9, r7              \n"
        "cmp    r1, r3                       \n"
        "bne    2b                           \n"
        "3:                                  \n"
        "ldr    r3, [sp, #16]                \n"
        "cbz    r3, 4f                       \n"
        "ldr    r8, [r1]                     \n"
        "ldr    r10, [r0], #4                \n"
        "sxtb16 r9, r8                       \n"
        "sxtb16 r8, r8, ror #8               \n"
        "sxtb16 r11, r10                     \n"
        "sxtb16 r10, r10, ror #8             \n"
        "smlabb r4, r9, r11, r4              \n"
        "smlabb r5, r8, r10, r5              \n"
        "smlatt r6, r9, r11, r6              \n"
        "smlatt r7, r8, r10, r7              \n"
        "4:                                  \n"
        "ldrd   r2, r1, [sp]                 \n" /* input, output */
        DEPTHWISE_WINDOW_CHANNEL(4)
        DEPTHWISE_WINDOW_CHANNEL(5)
        DEPTHWISE_WINDOW_CHANNEL(6)
        DEPTHWISE_WINDOW_CHANNEL(7)
        "ldr    r3, [sp, #20]                \n"
        "subs   r3, r3, #4                   \n" /* channels left */
        "beq    6f                           \n"
        "adds   r2, r2, #4                   \n"
        "cmp    r3, #4                       \n"
        "bge    5f                           \n"
        "subs   r2, r2, #4                   \n" /* the last four: some of them once more */
        "subs   r1, r1, #4                   \n"
        "adds   r2, r2, r3                   \n"
        "adds   r1, r1, r3                   \n"
        "movs   r3, #4                       \n"
        "5:                                  \n"
        "strd   r2, r1, [sp]                 \n"
        "str    r3, [sp, #20]                \n"
        "b      1b                           \n"
        "6:                                  \n"
        "add    sp, #24                      \n"
        "pop    {r4-r11, pc}                 \n");
}
/* clang-format on */

#endif
