/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_LINES_DSP_H
#define NN_DEPTHWISE_LINES_DSP_H

#include "nn/depthwise_lines.h"

/*
 * nn/depthwise_lines.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by
 * hand because four outputs fill the registers:
 *
 *     r0 points    r1 weights    r2 output    r3 step    r4 r5 r6 r7 sums    r8 r9 A C    r10 r11 points
 *     r12 end of this run's weights
 *
 * The dot products are unrolled and entered where `steps` modulo 4 says. The stack holds the line, whose
 * places become those of the channel and of the outputs to come, and `steps` the entry:
 *
 *     0 start    4 weights    8 run_bytes    12 entry    16 output    20 step    24 span    28 rest    32
 * finish 36 ring_end    40 ring_bytes    44 hop    48 channel_step    52 all_bytes 56 start of this channel
 * 60 bias    64 multiplier    68 add    72 shift    76 end of the output 80 the last four outputs, where not
 * all of them are wanted    84 channels left    88 end of the weights
 */

/* clang-format off */
#define DEPTHWISE_LINES_SIZE "24" /* bytes of code of a pair's products */

/* An output from its sum, halves always away from zero: nothing is seen of those below the zero point. */
#define DEPTHWISE_LINES_OUTPUT(x)                                                                           \
    "add    r11, r9, r" #x ", asr #31   \n"                                                                 \
    "smmlar r" #x ", r" #x ", r8, r11   \n"                                                                 \
    "asr    r" #x ", r" #x ", r10       \n"                                                                 \
    "ssat   r" #x ", #8, r" #x "        \n"

__attribute__((naked, noinline, unused)) static void depthwise_lines_run(
    const depthwise_lines_four_t *line __attribute__((unused)))
{
    __asm__ volatile(
        "push   {r4-r11, lr}                 \n"
        "sub    sp, #96                      \n"
        "ldm    r0!, {r1-r7}                 \n"
        "stm    sp, {r1-r7}                  \n"
        "rsb    r4, r4, #0                   \n"
        "and    r4, r4, #3                   \n" /* pairs of the first round to skip */
        "movs   r5, #" DEPTHWISE_LINES_SIZE "    \n"
        "adr    r6, 3f                       \n"
        "add    r6, r6, #1                   \n"
        "mla    r4, r4, r5, r6               \n"
        "str    r4, [sp, #12]                \n"
        "ldm    r0, {r1-r7}                  \n"
        "add    r8, sp, #28                  \n"
        "stm    r8, {r1-r7}                  \n"
        "movs   r4, #4                       \n"
        "str    r4, [sp, #84]                \n"
        "1:                                  \n" /* a channel */
        "ldr    r8, [sp, #32]                \n"
        "ldm    r8!, {r4-r7}                 \n"
        "str    r8, [sp, #32]                \n"
        "add    r9, sp, #60                  \n"
        "stm    r9, {r4-r7}                  \n"
        "ldr    r0, [sp, #0]                 \n"
        "str    r0, [sp, #56]                \n"
        "ldrd   r2, r3, [sp, #16]            \n"
        "ldr    r8, [sp, #24]                \n"
        "add    r8, r8, r2                   \n"
        "str    r8, [sp, #76]                \n"
        "ldr    r9, [sp, #4]                 \n"
        "ldr    r10, [sp, #52]               \n"
        "add    r9, r9, r10                  \n"
        "str    r9, [sp, #88]                \n"
        "cmp    r2, r8                       \n"
        "beq    6f                           \n"
        "2:                                  \n" /* four outputs */
        "ldrd   r0, r1, [sp, #0]             \n"
        "ldrd   r12, lr, [sp, #8]            \n"
        "ldr    r4, [sp, #60]                \n"
        "add    r8, r0, #8                   \n"
        "str    r8, [sp, #0]                 \n"
        "add    r12, r12, r1                 \n"
        "mov    r5, r4                       \n"
        "mov    r6, r4                       \n"
        "mov    r7, r4                       \n"
        "bx     lr                           \n"
        ".balign 4                           \n"
        "3:     .rept 4                      \n"
        "ldrd   r8, r9, [r1], #32            \n"
        "ldrd   r10, r11, [r0], #4           \n"
        "smlad  r4, r8, r10, r4              \n"
        "smlad  r5, r9, r10, r5              \n"
        "smlad  r6, r8, r11, r6              \n"
        "smlad  r7, r9, r11, r7              \n"
        "       .endr                        \n"
        "cmp    r1, r12                      \n"
        "bne    3b                           \n"
        "ldr    r8, [sp, #88]                \n"
        "cmp    r1, r8                       \n"
        "beq    4f                           \n"
        "ldrd   r8, r9, [sp, #40]            \n" /* the next run: ring_bytes, hop */
        "add    r0, r0, r9                   \n"
        "ldr    r9, [sp, #36]                \n"
        "cmp    r0, r9                       \n"
        "it     hs                           \n"
        "subhs  r0, r0, r8                   \n"
        "ldrd   r8, lr, [sp, #8]             \n"
        "add    r12, r12, r8                 \n"
        "bx     lr                           \n"
        "4:                                  \n"
        "ldrd   r8, r9, [sp, #64]            \n"
        "ldr    r10, [sp, #72]               \n"
        DEPTHWISE_LINES_OUTPUT(4)
        DEPTHWISE_LINES_OUTPUT(5)
        DEPTHWISE_LINES_OUTPUT(6)
        DEPTHWISE_LINES_OUTPUT(7)
        "ldr    r8, [sp, #76]                \n"
        "strb   r4, [r2]                     \n"
        "strb   r5, [r2, r3]                 \n"
        "add    r2, r2, r3, lsl #1           \n"
        "strb   r6, [r2]                     \n"
        "strb   r7, [r2, r3]                 \n"
        "add    r2, r2, r3, lsl #1           \n"
        "cmp    r2, r8                       \n"
        "bne    2b                           \n"
        "cmp    r3, #1                       \n"
        "bne    6f                           \n"
        "ldrd   r2, r3, [sp, #16]            \n" /* those of the last four that there are */
        "ldr    r8, [sp, #24]                \n"
        "add    r2, r2, r8                   \n"
        "ldr    r8, [sp, #28]                \n"
        "add    r9, sp, #80                  \n"
        "5:                                  \n"
        "ldrb   r10, [r9], #1                \n"
        "strb   r10, [r2]                    \n"
        "add    r2, r2, r3                   \n"
        "subs   r8, r8, #1                   \n"
        "bne    5b                           \n"
        "b      7f                           \n"
        "6:                                  \n"
        "ldr    r8, [sp, #28]                \n"
        "cmp    r8, #0                       \n"
        "beq    7f                           \n"
        "add    r2, sp, #80                  \n"
        "movs   r3, #1                       \n"
        "add    r8, r2, #4                   \n"
        "str    r8, [sp, #76]                \n"
        "b      2b                           \n"
        "7:                                  \n" /* the next channel */
        "ldr    r0, [sp, #56]                \n"
        "ldr    r8, [sp, #40]                \n"
        "ldr    r9, [sp, #36]                \n"
        "ldr    r1, [sp, #4]                 \n"
        "add    r0, r0, r8                   \n"
        "add    r9, r9, r8                   \n"
        "add    r1, r1, #8                   \n"
        "strd   r0, r1, [sp, #0]             \n"
        "str    r9, [sp, #36]                \n"
        "ldr    r8, [sp, #48]                \n"
        "ldr    r9, [sp, #16]                \n"
        "add    r9, r9, r8                   \n"
        "str    r9, [sp, #16]                \n"
        "ldr    r4, [sp, #84]                \n"
        "subs   r4, r4, #1                   \n"
        "str    r4, [sp, #84]                \n"
        "bne    1b                           \n"
        "add    sp, #96                      \n"
        "pop    {r4-r11, pc}                 \n");
}
/* clang-format on */

#endif
