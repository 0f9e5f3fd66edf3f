/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_FOURS_DSP_H
#define NN_STREAM_FOURS_DSP_H

#include "nn/stream_conv_2d.h"

/* Rows of one or two positions: four channels of nn/stream_conv_2d.h share the loads of a position. */

/* clang-format off */
/* One step of four taps of two pairs, at one position. */
#define STREAM_FOURS_SIZE "60"
#define STREAM_FOURS_STEP                                                                                   \
    "ldrd   r6, r7, [r1], #8            \n"                                                                 \
    "ldrd   r8, r9, [r0], #8            \n"                                                                 \
    "ldrd   r10, r11, [r12], #8         \n"                                                                 \
    "smlad  r3, r8, r6, r3              \n"                                                                 \
    "sxtb16 r8, r8                      \n"                                                                 \
    "smlad  r5, r10, r6, r5             \n"                                                                 \
    "sxtb16 r10, r10                    \n"                                                                 \
    "smlad  r2, r8, r6, r2              \n"                                                                 \
    "smlad  r4, r10, r6, r4             \n"                                                                 \
    "smlad  r3, r9, r7, r3              \n"                                                                 \
    "sxtb16 r9, r9                      \n"                                                                 \
    "smlad  r5, r11, r7, r5             \n"                                                                 \
    "sxtb16 r11, r11                    \n"                                                                 \
    "smlad  r2, r9, r7, r2              \n"                                                                 \
    "smlad  r4, r11, r7, r4             \n"

#define STREAM_FOURS_SSAT(x)    "ssat r" #x ", #8, r" #x "   \n"
#define STREAM_FOURS_LOOK_UP(x)                                                                             \
    "usat   r" #x ", #8, r" #x "        \n"                                                                 \
    "ldrd   r9, r10, [sp, #20]          \n"                                                                 \
    "ldrsb  r" #x ", [r9, r" #x "]      \n"                                                                 \
    "add    r9, r9, r10                 \n"                                                                 \
    "str    r9, [sp, #20]               \n"
/*
 * The output of one channel, its sum in a register, its words after `words`. Halves are always rounded away
 * from zero: where values below the zero point are not kept, nothing is seen of theirs.
 */
#define STREAM_FOURS_CHANNEL(words, x, value)                                                               \
    "ldmia  " words "!, {r6, r7, r8}    \n"                                                                 \
    "smmlar r" #x ", r" #x ", r6, r" #x "\n"                                                                \
    "add    r" #x ", r" #x ", r" #x ", asr #31\n"                                                           \
    "add    r" #x ", r" #x ", r7        \n"                                                                 \
    "asr    r" #x ", r" #x ", r8        \n"                                                                 \
    value(x)                                                                                                \
    "strh   r" #x ", [r1], #2           \n"

/*
 * All pairs of channels at one position, two pairs at a time: r0, r12 weights of the two, r1 input, r2 and r4
 * sums A, r3 and r5 sums C, r6, r7 input, r8 to r11 weights, lr end of the first pair's. The last pair of an
 * odd number stands in for its neighbour as well. Entered where `steps` modulo 4 says. The stack holds
 *
 *     0 input    4 output    8 entry    12 bytes of the dot product    16 end    20 table    24 table_step
 */
#define STREAM_FOURS(name, value)                                                                           \
    __attribute__((naked, noinline, unused)) static void name(                                              \
        const stream_conv_2d_t *layer __attribute__((unused)), const int16_t *input __attribute__((unused)),\
        int16_t *output __attribute__((unused)))                                                            \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r4-r11, lr}                \n"                                                         \
            "sub    sp, #28                     \n"                                                         \
            "ldm    r0, {r4-r9}                 \n" /* steps, output_stride, weights ... */                 \
            "rsb    r3, r4, #0                  \n"                                                         \
            "and    r3, r3, #3                  \n" /* steps of the first round to skip */                  \
            "mov    r11, #" STREAM_FOURS_SIZE "\n"                                                          \
            "adr    r12, 1f                     \n"                                                         \
            "add    r12, r12, #1                \n"                                                         \
            "mla    r3, r3, r11, r12            \n"                                                         \
            "lsl    r4, r4, #3                  \n"                                                         \
            "stm    sp, {r1, r2, r3, r4, r7, r8, r9} \n"                                                    \
            "mov    r0, r6                      \n"                                                         \
            "2:                                 \n"                                                         \
            "ldm    sp, {r1, r6, r7, r8, r9}    \n" /* r6, r7 are not used */                               \
            "add    r12, r0, r8                 \n"                                                         \
            "add    r12, r12, #32               \n" /* starts, and what finishes a pair */                  \
            "cmp    r12, r9                     \n"                                                         \
            "it     eq                          \n"                                                         \
            "moveq  r12, r0                     \n"                                                         \
            "ldrd   r2, r3, [r0], #8            \n"                                                         \
            "ldrd   r4, r5, [r12], #8           \n"                                                         \
            "add    lr, r0, r8                  \n"                                                         \
            "ldr    pc, [sp, #8]                \n"                                                         \
            ".balign 4                          \n"                                                         \
            "1:     .rept 4                     \n"                                                         \
            STREAM_FOURS_STEP                                                                               \
            "       .endr                       \n"                                                         \
            "cmp    r0, lr                      \n"                                                         \
            "bne.w  1b                          \n"                                                         \
            "sub    r3, r3, r2                  \n"                                                         \
            "asr    r3, r3, #8                  \n"                                                         \
            "ldr    r1, [sp, #4]                \n"                                                         \
            STREAM_FOURS_CHANNEL("r0", 2, value)                                                            \
            STREAM_FOURS_CHANNEL("r0", 3, value)                                                            \
            "ldr    r11, [sp, #16]              \n"                                                         \
            "cmp    r0, r11                     \n"                                                         \
            "beq    3f                          \n"                                                         \
            "sub    r5, r5, r4                  \n"                                                         \
            "asr    r5, r5, #8                  \n"                                                         \
            STREAM_FOURS_CHANNEL("r12", 4, value)                                                           \
            STREAM_FOURS_CHANNEL("r12", 5, value)                                                           \
            "str    r1, [sp, #4]                \n"                                                         \
            "mov    r0, r12                     \n"                                                         \
            "cmp    r0, r11                     \n"                                                         \
            "bne.w  2b                          \n"                                                         \
            "3:                                 \n"                                                         \
            "add    sp, #28                     \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

STREAM_FOURS(stream_fours, STREAM_FOURS_SSAT)
STREAM_FOURS(stream_fours_table, STREAM_FOURS_LOOK_UP)

#endif
