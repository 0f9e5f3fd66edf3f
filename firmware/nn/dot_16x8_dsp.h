/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DOT_16X8_DSP_H
#define NN_DOT_16X8_DSP_H

#include <stdint.h>

/*
 * nn/dot_16x8.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by hand
 * because both functions need every register. Their steps are unrolled four times and entered where their
 * number modulo 4 says.
 */

/* clang-format off */
/*
 * dot_16x8_three: four taps of two channels at three positions, 19 instructions, 76 bytes of code.
 *
 *     r0 weights    r1 block    r2 r3 r4 sums of the first channel    r5 r6 r7 of the second
 *     r8 r9 weights    r10 r11 r12 inputs of the three positions    lr weights of one channel, widened
 *     on the stack: 0 sums    4 end of the weights
 */
#define DOT_16X8_THREE(weights)                                                                             \
    "ldmia  r1!, {r10, r11, r12}        \n"                                                                 \
    "sxtb16 lr, " weights "             \n"                                                                 \
    "smlad  r2, lr, r10, r2             \n"                                                                 \
    "smlad  r3, lr, r11, r3             \n"                                                                 \
    "smlad  r4, lr, r12, r4             \n"                                                                 \
    "sxtb16 lr, " weights ", ror #8     \n"                                                                 \
    "smlad  r5, lr, r10, r5             \n"                                                                 \
    "smlad  r6, lr, r11, r6             \n"                                                                 \
    "smlad  r7, lr, r12, r7             \n"
/* To the first step, from minus their number in r8: 76 = 4 * 19 bytes are skipped for each that lacks. */
#define DOT_16X8_ENTER                                                                                      \
    "and    r8, r8, #3                  \n"                                                                 \
    "add    r9, r8, r8, lsl #1          \n" /* 3 */                                                         \
    "add    r9, r9, r8, lsl #4          \n" /* 19 */                                                        \
    "adr    lr, 1f                      \n"                                                                 \
    "add    lr, lr, r9, lsl #2          \n"                                                                 \
    "add    lr, lr, #1                  \n"

__attribute__((naked, noinline, unused)) static void dot_16x8_three(
    const uint32_t *weights __attribute__((unused)), const uint32_t *block __attribute__((unused)),
    int32_t *sums __attribute__((unused)), int32_t steps __attribute__((unused)))
{
    __asm__ volatile(
        "push   {r4-r11, lr}                \n"
        "add    r12, r0, r3, lsl #3         \n"
        "push   {r2, r12}                   \n"
        "rsb    r8, r3, #0                  \n"
        DOT_16X8_ENTER
        "ldm    r2, {r2, r3, r4, r5, r6, r7}\n"
        "bx     lr                          \n"
        ".balign 4                          \n"
        "1:     .rept 4                     \n"
        "ldrd   r8, r9, [r0], #8            \n"
        DOT_16X8_THREE("r8") DOT_16X8_THREE("r9")
        "       .endr                       \n"
        "ldr    lr, [sp, #4]                \n"
        "cmp    r0, lr                      \n"
        "bne.w  1b                          \n"
        "pop    {r0, r1}                    \n"
        "stm    r0, {r2, r3, r4, r5, r6, r7}\n"
        "pop    {r4-r11, pc}                \n");
}

/*
 * dot_16x8_pairs: four taps of four channels at one position, 19 instructions, 76 bytes of code.
 *
 *     r0 r12 weights of the first and the second pair    r1 inputs    r2 end of the first pair's    r3 sums
 *     r4 r5 r6 r7 the sums    r8 r9 weights    r10 r11 inputs    lr weights of one channel, widened
 */
#define DOT_16X8_PAIR(from, a, b)                                                                           \
    "ldrd   r8, r9, [" from "], #8      \n"                                                                 \
    "sxtb16 lr, r8                      \n"                                                                 \
    "smlad  " a ", lr, r10, " a "       \n"                                                                 \
    "sxtb16 lr, r8, ror #8              \n"                                                                 \
    "smlad  " b ", lr, r10, " b "       \n"                                                                 \
    "sxtb16 lr, r9                      \n"                                                                 \
    "smlad  " a ", lr, r11, " a "       \n"                                                                 \
    "sxtb16 lr, r9, ror #8              \n"                                                                 \
    "smlad  " b ", lr, r11, " b "       \n"

__attribute__((naked, noinline, unused)) static void dot_16x8_pairs(
    const uint32_t *weights __attribute__((unused)), const int16_t *inputs __attribute__((unused)),
    int32_t steps __attribute__((unused)), int32_t *sums __attribute__((unused)))
{
    __asm__ volatile(
        "push   {r4-r11, lr}                \n"
        "rsb    r8, r2, #0                  \n"
        "add    r2, r0, r2, lsl #3          \n"
        "mov    r12, r2                     \n"
        DOT_16X8_ENTER
        "ldm    r3, {r4, r5, r6, r7}        \n"
        "bx     lr                          \n"
        ".balign 4                          \n"
        "1:     .rept 4                     \n"
        "ldrd   r10, r11, [r1], #8          \n"
        DOT_16X8_PAIR("r0", "r4", "r5") DOT_16X8_PAIR("r12", "r6", "r7")
        "       .endr                       \n"
        "cmp    r0, r2                      \n"
        "bne.w  1b                          \n"
        "stm    r3, {r4, r5, r6, r7}        \n"
        "pop    {r4-r11, pc}                \n");
}
/* clang-format on */

#endif
