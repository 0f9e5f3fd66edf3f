/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_16X8_RUN_H
#define NN_DEPTHWISE_16X8_RUN_H

#include "dsp/memory.h"
#include "nn/requantize_16x8.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Four channels of a depthwise convolution with 16-bit activations, at positions whose windows lie in the
 * input: what nn/depthwise_conv_2d_16x8.h does in most places. The weights of a tap are widened once for all
 * positions, and where it lies is an offset.
 */
typedef struct {
    int32_t offset;     /* bytes from the window's first value */
    uint32_t even, odd; /* weights of channels 0 and 2, and of 1 and 3 */
} depthwise_16x8_tap_t;

typedef struct {
    const int16_t *input; /* the first value of the first window; moves on */
    const depthwise_16x8_tap_t *taps, *end;
    const requantize_t *scaling; /* of the four channels */
    int16_t *output;             /* moves on */
    int32_t least;               /* 0 clamps outputs at 0, -1 at no more than their type does */
    int32_t step, output_step;   /* bytes from a position to the next */
    int32_t count;               /* of positions, 1 and more; comes to 0 */
} depthwise_16x8_run_t;

#if DSP

/*
 * By hand because a tap needs every register (Armv7-M Architecture Reference Manual, A7.7):
 *
 *     r0 window    r2 the same and 4    r1 taps    r3 their end    r4 r5 r6 r7 sums
 *     r8 offset    r9 r10 weights    r11 r12 inputs of channels 0, 1 and 2, 3
 *     on the stack: 0 run    4 entry of the loop
 *
 * The taps are unrolled four times and entered where their number modulo 4 says.
 */
/* clang-format off */
/* One tap: 7 instructions, 28 bytes of code. */
#define DEPTHWISE_16X8_TAP                                                                                  \
    "ldmia  r1!, {r8, r9, r10}          \n"                                                                 \
    "ldr.w  r11, [r0, r8]               \n"                                                                 \
    "ldr.w  r12, [r2, r8]               \n"                                                                 \
    "smlabb r4, r11, r9, r4             \n"                                                                 \
    "smlatb r5, r11, r10, r5            \n"                                                                 \
    "smlabt r6, r12, r9, r6             \n"                                                                 \
    "smlatt r7, r12, r10, r7            \n"
/* A sum becomes an output: r12 scaling of all, lr run, r2 output, r3 what clamps at 0. */
#define DEPTHWISE_16X8_OUTPUT(sum, scaling, right, place)                                                   \
    "ldrd   r8, r9, [r12, #" scaling "] \n"                                                                 \
    "ldrsh  r10, [r12, #" right "]      \n"                                                                 \
    "smmla  " sum ", " sum ", r8, r9    \n"                                                                 \
    "asr    " sum ", " sum ", r10       \n"                                                                 \
    "ssat   " sum ", #16, " sum "       \n"                                                                 \
    "bic    r10, " sum ", r3            \n"                                                                 \
    "bic    " sum ", " sum ", r10, asr #31\n"                                                               \
    "strh   " sum ", [r2, #" place "]   \n"

__attribute__((naked, noinline, unused)) static void depthwise_16x8_run(
    depthwise_16x8_run_t *run __attribute__((unused)))
{
    __asm__ volatile(
        "push   {r4-r11, lr}                \n"
        "ldrd   r1, r3, [r0, #4]            \n"
        "sub    r8, r1, r3                  \n" /* minus the taps' bytes: 12 = 4 * 3, and 3 * 3 is 1 modulo 4 */
        "asr    r8, r8, #2                  \n"
        "add    r8, r8, r8, lsl #1          \n"
        "and    r8, r8, #3                  \n" /* taps of the first round to skip, 28 bytes each */
        "rsb    r8, r8, r8, lsl #3          \n"
        "adr    r9, 2f                      \n"
        "add    r9, r9, r8, lsl #2          \n"
        "add    r9, r9, #1                  \n"
        "push   {r0, r9}                    \n"
        "ldr    r0, [r0, #0]                \n"
        "1:                                 \n"
        "ldrd   r9, lr, [sp]                \n"
        "ldr    r12, [r9, #12]              \n"
        "ldrd   r1, r3, [r9, #4]            \n"
        "add    r2, r0, #4                  \n"
        "ldr    r4, [r12, #0]               \n"
        "ldr    r5, [r12, #16]              \n"
        "ldr    r6, [r12, #32]              \n"
        "ldr    r7, [r12, #48]              \n"
        "bx     lr                          \n"
        ".balign 4                          \n"
        "2:     .rept 4                     \n"
        DEPTHWISE_16X8_TAP
        "       .endr                       \n"
        "cmp    r1, r3                      \n"
        "bne.w  2b                          \n"
        "ldr    lr, [sp]                    \n"
        "ldr    r12, [lr, #12]              \n"
        "ldrd   r2, r3, [lr, #16]           \n"
        DEPTHWISE_16X8_OUTPUT("r4", "4", "14", "0")
        DEPTHWISE_16X8_OUTPUT("r5", "20", "30", "2")
        DEPTHWISE_16X8_OUTPUT("r6", "36", "46", "4")
        DEPTHWISE_16X8_OUTPUT("r7", "52", "62", "6")
        "ldrd   r8, r9, [lr, #24]           \n"
        "ldr    r10, [lr, #32]              \n"
        "add    r0, r0, r8                  \n"
        "add    r2, r2, r9                  \n"
        "str    r2, [lr, #16]               \n"
        "subs   r10, r10, #1                \n"
        "str    r10, [lr, #32]              \n"
        "bne    1b                          \n"
        "add    sp, #8                      \n"
        "pop    {r4-r11, pc}                \n");
}
/* clang-format on */

_Static_assert(offsetof(depthwise_16x8_run_t, count) == 32 && offsetof(requantize_t, right) == 14,
               "depthwise_16x8_run has these as numbers");

#else

DSP_INLINE int16_t depthwise_16x8_at(const depthwise_16x8_run_t *run, int32_t channel)
{
    int32_t sum = run->scaling[channel].bias;
    for (const depthwise_16x8_tap_t *tap = run->taps; tap != run->end; tap++) {
        const uint32_t pair = channel % 2 == 0 ? tap->even : tap->odd;
        const int32_t weight = channel < 2 ? dsp_low(pair) : dsp_high(pair);
        sum = (int32_t)((uint32_t)sum + (uint32_t)(run->input[tap->offset / 2 + channel] * weight));
    }
    const int32_t value = requantize_narrow(sum, &run->scaling[channel]);
    return (int16_t)requantize_clamp(value, run->least == 0 ? 0 : INT16_MIN, INT16_MAX);
}

DSP_INLINE void depthwise_16x8_run(depthwise_16x8_run_t *run)
{
    for (; run->count > 0; run->count--) {
        for (int32_t channel = 0; channel < 4; channel++) {
            run->output[channel] = depthwise_16x8_at(run, channel);
        }
        run->input += run->step / 2;
        run->output += run->output_step / 2;
    }
}

#endif

#endif
