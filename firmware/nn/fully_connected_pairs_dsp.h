/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FULLY_CONNECTED_PAIRS_DSP_H
#define NN_FULLY_CONNECTED_PAIRS_DSP_H

#include "nn/fully_connected_pairs.h"

/*
 * nn/fully_connected_pairs.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7),
 * by hand so that four words are loaded at once:
 *
 *     r0 weights    r1 input    r2 sum A    r3 sum C    r4 to r7 input    r8 to r11 weights
 *     r12 end of this pair's dot product    lr output
 *
 * Eight inputs at a time, unrolled four times and entered where their number says; four that are left over
 * come first. The stack holds fully_connected_pairs_frame_t.
 */
typedef struct {
    const uint32_t *input;
    int32_t bytes;       /* of a pair's weights */
    uintptr_t entry;     /* of a pair's dot product */
    uintptr_t loop;      /* where the four that are left over go on */
    const uint32_t *end; /* of all weights */
} fully_connected_pairs_frame_t;

/* clang-format off */
/* Two inputs of two outputs. */
#define FULLY_CONNECTED_PAIRS_TWO(input, weights)                                                           \
    "smlad  r3, " weights ", " input ", r3 \n"                                                              \
    "sxtb16 " weights ", " weights "    \n"                                                                 \
    "smlad  r2, " weights ", " input ", r2 \n"

/* Eight inputs of two outputs: 14 instructions, 56 bytes of code. */
#define FULLY_CONNECTED_PAIRS_STEP_SIZE 56
__attribute__((naked, unused)) static void fully_connected_pairs_loop(void)
{
    __asm__ volatile(
        "0:     .rept 4                     \n"
        "ldmia.w r1!, {r4, r5, r6, r7}      \n"
        "ldmia  r0!, {r8, r9, r10, r11}     \n"
        FULLY_CONNECTED_PAIRS_TWO("r4", "r8")
        FULLY_CONNECTED_PAIRS_TWO("r5", "r9")
        FULLY_CONNECTED_PAIRS_TWO("r6", "r10")
        FULLY_CONNECTED_PAIRS_TWO("r7", "r11")
        "       .endr                       \n"
        "cmp    r0, r12                     \n"
        "bne.w  0b                          \n"
        "ldr    pc, [sp, #20]               \n");
}

/* Four inputs of two outputs. */
__attribute__((naked, unused)) static void fully_connected_pairs_four(void)
{
    __asm__ volatile(
        "ldrd   r4, r5, [r1], #8            \n"
        "ldrd   r8, r9, [r0], #8            \n"
        FULLY_CONNECTED_PAIRS_TWO("r4", "r8")
        FULLY_CONNECTED_PAIRS_TWO("r5", "r9")
        "ldr    pc, [sp, #12]               \n");
}

#define FULLY_CONNECTED_PAIRS_NOTHING
#define FULLY_CONNECTED_PAIRS_AWAY                                                                          \
    "add    r2, r2, r2, asr #31         \n"
#define FULLY_CONNECTED_PAIRS_AWAY_B                                                                        \
    "add    r8, r8, r3, asr #31         \n"

/* All pairs of outputs; returns the place after them. high: a sum's product, rounded or not */
#define FULLY_CONNECTED_PAIRS_ALL(name, high, away_a, away_b)                                               \
    __attribute__((naked, noinline, unused)) static int8_t *name(                                           \
        const uint32_t *weights __attribute__((unused)),                                                    \
        const fully_connected_pairs_frame_t *frame __attribute__((unused)),                                 \
        int8_t *output __attribute__((unused)))                                                             \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r4-r11, lr}                \n"                                                         \
            "sub    sp, #24                     \n"                                                         \
            "ldm    r1, {r4, r5, r6, r7, r8}    \n"                                                         \
            "adr    r9, 2f                      \n"                                                         \
            "add    r9, r9, #1                  \n"                                                         \
            "stm    sp, {r4, r5, r6, r7, r8, r9} \n"                                                        \
            "mov    lr, r2                      \n"                                                         \
            "1:                                 \n"                                                         \
            "ldrd   r2, r3, [r0], #8            \n"                                                         \
            "ldrd   r1, r12, [sp, #0]           \n"                                                         \
            "add    r12, r12, r0                \n"                                                         \
            "ldr    pc, [sp, #8]                \n"                                                         \
            ".balign 4                          \n"                                                         \
            "2:                                 \n" /* here the dot product comes back to */                \
            "sub    r3, r3, r2                  \n"                                                         \
            "asr    r3, r3, #7                  \n" /* 2 * B */                                             \
            "ldmia  r0!, {r4, r5, r6, r7, r8, r9} \n" /* multiplier, add, shift of both */                  \
            high   " r2, r2, r4, r2             \n"                                                         \
            away_a                                                                                          \
            away_b                                                                                          \
            "add    r2, r2, r5                  \n"                                                         \
            high   " r3, r3, r7, r8             \n"                                                         \
            "asr    r2, r2, r6                  \n"                                                         \
            "asr    r3, r3, r9                  \n"                                                         \
            "ssat   r2, #8, r2                  \n"                                                         \
            "ssat   r3, #8, r3                  \n"                                                         \
            "strb   r2, [lr], #1                \n"                                                         \
            "strb   r3, [lr], #1                \n"                                                         \
            "ldr    r4, [sp, #16]               \n"                                                         \
            "cmp    r0, r4                      \n"                                                         \
            "bne    1b                          \n"                                                         \
            "mov    r0, lr                      \n"                                                         \
            "add    sp, #24                     \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

FULLY_CONNECTED_PAIRS_ALL(fully_connected_pairs_positive, "smmlar", FULLY_CONNECTED_PAIRS_NOTHING,
                          FULLY_CONNECTED_PAIRS_NOTHING)
FULLY_CONNECTED_PAIRS_ALL(fully_connected_pairs_signed, "smmlar", FULLY_CONNECTED_PAIRS_AWAY,
                          FULLY_CONNECTED_PAIRS_AWAY_B)
FULLY_CONNECTED_PAIRS_ALL(fully_connected_pairs_down, "smmla", FULLY_CONNECTED_PAIRS_NOTHING,
                          FULLY_CONNECTED_PAIRS_NOTHING)

DSP_INLINE int8_t *fully_connected_pairs_all(const conv_block_t *layer, const uint32_t *input, int8_t *output,
                                             int once)
{
    const int32_t octets = layer->steps / 2;
    /* The octets that the first round leaves out; all of them where there is none. */
    const int32_t skipped = octets == 0 ? 4 : -octets & 3;
    const uintptr_t loop =
        (uintptr_t)fully_connected_pairs_loop + (uintptr_t)skipped * FULLY_CONNECTED_PAIRS_STEP_SIZE;
    const fully_connected_pairs_frame_t frame = {
        .input = input,
        .bytes = 8 * layer->steps,
        .entry = layer->steps % 2 == 0 ? loop : (uintptr_t)fully_connected_pairs_four,
        .loop = loop,
        .end = layer->end,
    };
    if (once) {
        return fully_connected_pairs_down(layer->weights, &frame, output);
    }
    return layer->keeps_negative ? fully_connected_pairs_signed(layer->weights, &frame, output)
                                 : fully_connected_pairs_positive(layer->weights, &frame, output);
}

#endif
