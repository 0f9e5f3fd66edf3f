/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_3X3_DSP_H
#define NN_DEPTHWISE_3X3_DSP_H

#include "nn/depthwise_3x3.h"

/*
 * nn/depthwise_3x3.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by hand
 * because a channel's taps fill half of the registers:
 *
 *     r0 strip    r1 output    r2 r3 A C of the line in the first place    r4 r5 second    r6 r7 third
 *     r8 bias    r9 r10 r11 input, then requantisation    r12 lr sums of two neighbouring outputs
 *
 * The stack holds
 *
 *     0 multiplier    4 add    8 shift    12 step    16 end of the pairs    20 one more output to come
 *     24 words    28 strip    32 output    36 channels    40 phase    44 step    48 span    52 strip_bytes
 *     56 odd
 */

/* clang-format off */
#define DEPTHWISE_3X3_POSITIVE                                                                              \
    "smmlar r12, r12, r9, r10           \n"                                                                 \
    "smmlar lr, lr, r9, r10             \n"
#define DEPTHWISE_3X3_SIGNED                                                                                \
    "smmulr r12, r12, r9                \n"                                                                 \
    "smmulr lr, lr, r9                  \n"                                                                 \
    "add    r12, r12, r12, asr #31      \n"                                                                 \
    "add    lr, lr, lr, asr #31         \n"                                                                 \
    "add    r12, r12, r10               \n"                                                                 \
    "add    lr, lr, r10                 \n"

/* Sums of two neighbouring outputs. */
#define DEPTHWISE_3X3_PRODUCTS                                                                              \
    "ldmia  r0!, {r9, r10, r11}         \n"                                                                 \
    "smlad  r12, r2, r9, r8             \n"                                                                 \
    "smlabt lr, r2, r9, r8              \n"                                                                 \
    "smlad  r12, r4, r10, r12           \n"                                                                 \
    "smlabt lr, r4, r10, lr             \n"                                                                 \
    "smlad  r12, r6, r11, r12           \n"                                                                 \
    "smlabt lr, r6, r11, lr             \n"                                                                 \
    "ldm    r0, {r9, r10, r11}          \n"                                                                 \
    "smlatb r12, r3, r9, r12            \n"                                                                 \
    "smlad  lr, r3, r9, lr              \n"                                                                 \
    "smlatb r12, r5, r10, r12           \n"                                                                 \
    "smlad  lr, r5, r10, lr             \n"                                                                 \
    "smlatb r12, r7, r11, r12           \n"                                                                 \
    "smlad  lr, r7, r11, lr             \n"
/* The same where outputs lie two points apart: three words of input, of which the next two share the last. */
#define DEPTHWISE_3X3_PRODUCTS_APART                                                                        \
    "ldmia  r0!, {r9, r10, r11}         \n"                                                                 \
    "smlad  r12, r2, r9, r8             \n"                                                                 \
    "smlad  r12, r4, r10, r12           \n"                                                                 \
    "smlad  r12, r6, r11, r12           \n"                                                                 \
    "ldmia  r0!, {r9, r10, r11}         \n"                                                                 \
    "smlatb r12, r3, r9, r12            \n"                                                                 \
    "smlad  lr, r2, r9, r8              \n"                                                                 \
    "smlatb r12, r5, r10, r12           \n"                                                                 \
    "smlad  lr, r4, r10, lr             \n"                                                                 \
    "smlatb r12, r7, r11, r12           \n"                                                                 \
    "smlad  lr, r6, r11, lr             \n"                                                                 \
    "ldm    r0, {r9, r10, r11}          \n"                                                                 \
    "smlatb lr, r3, r9, lr              \n"                                                                 \
    "smlatb lr, r5, r10, lr             \n"                                                                 \
    "smlatb lr, r7, r11, lr             \n"

#define DEPTHWISE_3X3_LINE(name, products, high)                                                            \
    __attribute__((naked, noinline, unused)) static void name(                                              \
        const depthwise_3x3_line_t *line __attribute__((unused)))                                           \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r4-r11, lr}                \n"                                                         \
            "sub    sp, #60                     \n"                                                         \
            "ldm    r0, {r1-r9}                 \n"                                                         \
            "add    r10, sp, #24                \n"                                                         \
            "stm    r10, {r1-r9}                \n"                                                         \
            "1:                                 \n" /* a channel */                                         \
            "ldr    r9, [sp, #24]               \n"                                                         \
            "ldr    r10, [sp, #40]              \n"                                                         \
            "cmp    r10, #1                     \n"                                                         \
            "beq    2f                          \n"                                                         \
            "bhi    3f                          \n"                                                         \
            "ldm    r9!, {r2-r7}                \n"                                                         \
            "b      4f                          \n"                                                         \
            "2:                                 \n"                                                         \
            "ldm    r9!, {r4-r7}                \n"                                                         \
            "ldm    r9!, {r2, r3}               \n"                                                         \
            "b      4f                          \n"                                                         \
            "3:                                 \n"                                                         \
            "ldm    r9!, {r6, r7}               \n"                                                         \
            "ldm    r9!, {r2-r5}                \n"                                                         \
            "4:                                 \n"                                                         \
            "ldm    r9!, {r8, r10, r11, r12}    \n" /* bias, multiplier, add, shift */                      \
            "str    r9, [sp, #24]               \n"                                                         \
            "stm    sp, {r10, r11, r12}         \n"                                                         \
            "ldrd   r0, r1, [sp, #28]           \n"                                                         \
            "ldrd   r9, r10, [sp, #44]          \n"                                                         \
            "ldr    r11, [sp, #56]              \n"                                                         \
            "adds   r10, r10, r1                \n"                                                         \
            "strd   r9, r10, [sp, #12]          \n"                                                         \
            "str    r11, [sp, #20]              \n"                                                         \
            "cmp    r10, r1                     \n"                                                         \
            "beq    6f                          \n"                                                         \
            "5:                                 \n" /* two outputs */                                       \
            products                                                                                        \
            "ldm    sp, {r9, r10, r11}          \n"                                                         \
            high                                                                                            \
            "asr    r12, r12, r11               \n"                                                         \
            "asr    lr, lr, r11                 \n"                                                         \
            "ssat   r12, #8, r12                \n"                                                         \
            "ssat   lr, #8, lr                  \n"                                                         \
            "ldrd   r9, r10, [sp, #12]          \n"                                                         \
            "strb   lr, [r1, r9]                \n" /* after the last, odd one: overwritten at once */     \
            "strb   r12, [r1]                   \n"                                                         \
            "add    r1, r1, r9, lsl #1          \n"                                                         \
            "cmp    r1, r10                     \n"                                                         \
            "bne    5b                          \n"                                                         \
            "6:                                 \n"                                                         \
            "ldr    r9, [sp, #20]               \n"                                                         \
            "cmp    r9, #0                      \n"                                                         \
            "beq    7f                          \n"                                                         \
            "movs   r9, #0                      \n"                                                         \
            "str    r9, [sp, #12]               \n"                                                         \
            "str    r9, [sp, #20]               \n"                                                         \
            "b      5b                          \n"                                                         \
            "7:                                 \n"                                                         \
            "ldrd   r9, r10, [sp, #28]          \n"                                                         \
            "ldr    r11, [sp, #52]              \n"                                                         \
            "ldr    r12, [sp, #36]              \n"                                                         \
            "add    r9, r9, r11                 \n"                                                         \
            "add    r10, r10, #1                \n"                                                         \
            "strd   r9, r10, [sp, #28]          \n"                                                         \
            "subs   r12, r12, #1                \n"                                                         \
            "str    r12, [sp, #36]              \n"                                                         \
            "bne    1b                          \n"                                                         \
            "add    sp, #60                     \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

DEPTHWISE_3X3_LINE(depthwise_3x3_positive, DEPTHWISE_3X3_PRODUCTS, DEPTHWISE_3X3_POSITIVE)
DEPTHWISE_3X3_LINE(depthwise_3x3_signed, DEPTHWISE_3X3_PRODUCTS, DEPTHWISE_3X3_SIGNED)
DEPTHWISE_3X3_LINE(depthwise_3x3_positive_apart, DEPTHWISE_3X3_PRODUCTS_APART, DEPTHWISE_3X3_POSITIVE)
DEPTHWISE_3X3_LINE(depthwise_3x3_signed_apart, DEPTHWISE_3X3_PRODUCTS_APART, DEPTHWISE_3X3_SIGNED)

DSP_INLINE void depthwise_3x3_run(const depthwise_3x3_line_t *line, int negative, int32_t stride)
{
    if (stride == 1) {
        if (negative) {
            depthwise_3x3_signed(line);
        } else {
            depthwise_3x3_positive(line);
        }
    } else if (negative) {
        depthwise_3x3_signed_apart(line);
    } else {
        depthwise_3x3_positive_apart(line);
    }
}

#endif
