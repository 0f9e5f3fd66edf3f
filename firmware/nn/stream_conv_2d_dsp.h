/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_STREAM_CONV_2D_DSP_H
#define NN_STREAM_CONV_2D_DSP_H

#include "nn/block_dsp.h"
#include "nn/stream_conv_2d.h"
#include "nn/stream_fours_dsp.h"

/*
 * nn/stream_conv_2d.h for cores with the DSP extension (Armv7-M Architecture Reference Manual, A7.7), by hand
 * because a block of three positions needs every register:
 *
 *     r0 weights    r1 input    r2 r3 r4 sums A of the three    r5 r6 r7 sums C    r8 r9 weights
 *     r10 r11 their a lanes    r12 lr input
 *
 * The dot products are unrolled and entered where `steps` modulo their number says: NN_UNROLL times, twice
 * for the smallest stride, which comes with short products. The stack holds
 *
 *     0 input of the block    4 entry of the loop         8 bytes of the dot product
 *     12 end of this pair's   16 output, one value less   20 output_stride
 *     24 end of all weights   28 table                    32 what finishes a pair    36 table_step
 */

/* clang-format off */
/* One step of four taps at three positions, STREAM_STEP_SIZE bytes of code. */
#define STREAM_STEP_SIZE 72
#define STREAM_STEP(stride)                                                                                 \
    "ldrd   r8, r9, [r0], #8            \n"                                                                 \
    "ldrd   r12, lr, [r1], #8           \n"                                                                 \
    "sxtb16 r10, r8                     \n"                                                                 \
    "sxtb16 r11, r9                     \n"                                                                 \
    "smlad  r2, r10, r12, r2            \n"                                                                 \
    "smlad  r5, r8, r12, r5             \n"                                                                 \
    "smlad  r2, r11, lr, r2             \n"                                                                 \
    "smlad  r5, r9, lr, r5              \n"                                                                 \
    "ldrd   r12, lr, [r1, #" #stride " - 8]     \n"                                                         \
    "smlad  r3, r10, r12, r3            \n"                                                                 \
    "smlad  r6, r8, r12, r6             \n"                                                                 \
    "smlad  r3, r11, lr, r3             \n"                                                                 \
    "smlad  r6, r9, lr, r6              \n"                                                                 \
    "ldrd   r12, lr, [r1, #2 * " #stride " - 8] \n"                                                         \
    "smlad  r4, r10, r12, r4            \n"                                                                 \
    "smlad  r7, r8, r12, r7             \n"                                                                 \
    "smlad  r4, r11, lr, r4             \n"                                                                 \
    "smlad  r7, r9, lr, r7              \n"

/* The dot products of positions `stride` bytes apart. Entered by a jump, left by one. */
#define STREAM_LOOP(stride, unrolled)                                                                       \
    __attribute__((naked, unused)) static void stream_loop_##stride(void)                                   \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "0:     .rept %c0           \n"                                                                 \
            STREAM_STEP(stride)                                                                             \
            "       .endr               \n"                                                                 \
            "ldr    r8, [sp, #12]       \n"                                                                 \
            "cmp    r0, r8              \n"                                                                 \
            "bne.w  0b                  \n"                                                                 \
            "ldr    pc, [sp, #32]       \n" ::"i"(unrolled));                                               \
    }

/* The table takes the place of the nearest int8. */
#define STREAM_LOOK_UP(x, y, z)                                                                             \
    BLOCK_USAT(x, y, z)                                                                          \
    "ldrd   r8, r9, [sp, #28]           \n"                                                                 \
    "ldr    r9, [sp, #36]               \n"                                                                 \
    "ldrsb  r" #x ", [r8, r" #x "]      \n"                                                                 \
    "ldrsb  r" #y ", [r8, r" #y "]      \n"                                                                 \
    "ldrsb  r" #z ", [r8, r" #z "]      \n"                                                                 \
    "add    r8, r8, r9                  \n"                                                                 \
    "str    r8, [sp, #28]               \n"

/* All pairs of channels at three positions. */
#define STREAM_BLOCK(name, away, value)                                                                     \
    __attribute__((naked, noinline, unused)) static void name(                                              \
        const stream_conv_2d_t *layer __attribute__((unused)), const int16_t *input __attribute__((unused)), \
        int16_t *output __attribute__((unused)), uintptr_t entry __attribute__((unused)))                 \
    {                                                                                                       \
        __asm__ volatile(                                                                                   \
            "push   {r4-r11, lr}                \n"                                                         \
            "sub    sp, #40                     \n"                                                         \
            "str    r1, [sp, #0]                \n"                                                         \
            "ldm    r0, {r4-r9}                 \n" /* steps, output_stride, weights ... */                 \
            "sub    r2, r2, #2                  \n"                                                         \
            "strd   r2, r5, [sp, #16]           \n"                                                         \
            "str    r9, [sp, #36]               \n"                                                         \
            "strd   r7, r8, [sp, #24]           \n"                                                         \
            "lsl    r11, r4, #3                 \n"                                                         \
            "strd   r3, r11, [sp, #4]           \n"                                                         \
            "adr    r10, 2f                     \n"                                                         \
            "add    r10, r10, #1                \n"                                                         \
            "str    r10, [sp, #32]              \n"                                                         \
            "mov    r0, r6                      \n"                                                         \
            "1:                                 \n"                                                         \
            "ldrd   r2, r5, [r0], #8            \n"                                                         \
            "ldm    sp, {r1, r8, r9}            \n"                                                         \
            "add    r9, r0, r9                  \n"                                                         \
            "str    r9, [sp, #12]               \n"                                                         \
            BLOCK_BEGIN                                                                                     \
            BLOCK_CHANNEL BLOCK_HIGH(2, 3, 4) away(2, 3, 4) BLOCK_ADD(2, 3, 4) BLOCK_SHIFT(2, 3, 4) value(2, 3, 4)\
            "ldrd   r11, r12, [sp, #16]         \n" /* output, output_stride */                             \
            "strh   r2, [r11, #2]!              \n"                                                         \
            "strh   r3, [r11, r12]              \n"                                                         \
            "strh   r4, [r11, r12, lsl #1]      \n"                                                         \
            "asr    r5, r5, #8                  \n"                                                         \
            "asr    r6, r6, #8                  \n"                                                         \
            "asr    r7, r7, #8                  \n"                                                         \
            BLOCK_CHANNEL BLOCK_HIGH(5, 6, 7) away(5, 6, 7) BLOCK_ADD(5, 6, 7) BLOCK_SHIFT(5, 6, 7) value(5, 6, 7)\
            "strh   r5, [r11, #2]!              \n"                                                         \
            "strh   r6, [r11, r12]              \n"                                                         \
            "strh   r7, [r11, r12, lsl #1]      \n"                                                         \
            "str    r11, [sp, #16]              \n"                                                         \
            "ldr    r8, [sp, #24]               \n"                                                         \
            "cmp    r0, r8                      \n"                                                         \
            "bne.w  1b                          \n"                                                         \
            "add    sp, #40                     \n"                                                         \
            "pop    {r4-r11, pc}                \n");                                                       \
    }
/* clang-format on */

STREAM_LOOP(4, 2)
STREAM_LOOP(8, NN_UNROLL)
STREAM_LOOP(16, NN_UNROLL)
STREAM_LOOP(32, NN_UNROLL)
STREAM_LOOP(64, NN_UNROLL)
STREAM_LOOP(128, NN_UNROLL)
STREAM_LOOP(256, NN_UNROLL)
STREAM_LOOP(512, NN_UNROLL)

STREAM_BLOCK(stream_block_positive, BLOCK_NOTHING, BLOCK_SSAT)
STREAM_BLOCK(stream_block_signed, BLOCK_AWAY, BLOCK_SSAT)
STREAM_BLOCK(stream_block_positive_table, BLOCK_NOTHING, STREAM_LOOK_UP)
STREAM_BLOCK(stream_block_signed_table, BLOCK_AWAY, STREAM_LOOK_UP)

/* All pairs of channels at one position. */
__attribute__((noinline, unused)) static void stream_single(const stream_conv_2d_t *layer,
                                                            const int16_t *input, int16_t *output)
{
    const uint32_t *weights = layer->weights;
    const int8_t *table = layer->table;
    do {
        int32_t a = (int32_t)*weights++, c = (int32_t)*weights++;
        const uint32_t *end = weights + 2 * layer->steps;
        const int16_t *next = input;
        uint32_t weights0, weights1, input0, input1, lanes;
        __asm__ volatile("1:                                          \n"
                         "ldrd   %[weights0], %[weights1], [%[w]], #8 \n"
                         "ldrd   %[input0], %[input1], [%[x]], #8     \n"
                         "sxtb16 %[lanes], %[weights0]                \n"
                         "smlad  %[c], %[weights0], %[input0], %[c]   \n"
                         "smlad  %[a], %[lanes], %[input0], %[a]      \n"
                         "sxtb16 %[lanes], %[weights1]                \n"
                         "smlad  %[c], %[weights1], %[input1], %[c]   \n"
                         "smlad  %[a], %[lanes], %[input1], %[a]      \n"
                         "cmp    %[w], %[end]                         \n"
                         "bne    1b                                   \n"
                         : [w] "+r"(weights), [x] "+r"(next), [a] "+r"(a), [c] "+r"(c),
                           [weights0] "=&r"(weights0), [weights1] "=&r"(weights1), [input0] "=&r"(input0),
                           [input1] "=&r"(input1), [lanes] "=&r"(lanes), [end] "+r"(end)
                         :
                         : "cc", "memory");
        int32_t sum = a;
        for (int32_t channel = 0; channel < 2; channel++) {
            int32_t value;
            __asm__("smmlar %0, %1, %2, %1" : "=r"(value) : "r"(sum), "r"(weights[0]));
            if (layer->keeps_negative)
                value += value >> 31;
            value = (value + (int32_t)weights[1]) >> weights[2];
            if (table == NULL) {
                __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value));
            } else {
                __asm__("usat %0, #8, %1" : "=r"(value) : "r"(value));
                value = table[value];
                table += layer->table_step;
            }
            *output++ = (int16_t)value;
            weights += 3;
            sum = (c - a) >> 8;
        }
    } while (weights != layer->end);
}

/*
 * layer: a constant whose fields the compiler sees, so that one loop and one block remain. Positions at a
 * stride without a loop are computed one by one.
 */
DSP_INLINE void stream_conv_2d(const stream_conv_2d_t *layer, const int16_t *input, int16_t *output)
{
    void (*const loop)(void) = layer->stride == 4     ? stream_loop_4
                               : layer->stride == 8   ? stream_loop_8
                               : layer->stride == 16  ? stream_loop_16
                               : layer->stride == 32  ? stream_loop_32
                               : layer->stride == 64  ? stream_loop_64
                               : layer->stride == 128 ? stream_loop_128
                               : layer->stride == 256 ? stream_loop_256
                               : layer->stride == 512 ? stream_loop_512
                                                      : NULL;
    const int32_t unrolled = layer->stride == 4 ? 2 : NN_UNROLL;
    /* The steps that the first round leaves out. */
    const uintptr_t entry = (uintptr_t)loop + (uintptr_t)(-layer->steps & (unrolled - 1)) * STREAM_STEP_SIZE;
    int32_t left = layer->columns;
    /* Rows of one or two positions; four channels share a position's loads where there are so many. */
    const int fours = left < 3 && layer->end - layer->weights > 2 * layer->steps + 8;
    while (left >= 2 && layer->columns >= 3 && loop != NULL) {
        if (left == 2) { /* three again, the first of them once more: cheaper than two alone */
            input -= layer->stride / 2;
            output -= layer->output_stride / 2;
            left = 3;
        }
        if (layer->table == NULL && layer->keeps_negative) {
            stream_block_signed(layer, input, output, entry);
        } else if (layer->table == NULL) {
            stream_block_positive(layer, input, output, entry);
        } else if (layer->keeps_negative) {
            stream_block_signed_table(layer, input, output, entry);
        } else {
            stream_block_positive_table(layer, input, output, entry);
        }
        input += 3 * layer->stride / 2;
        output += 3 * layer->output_stride / 2;
        left -= 3;
    }
    for (; left > 0; left--) {
        if (!fours) {
            stream_single(layer, input, output);
        } else if (layer->table == NULL) {
            stream_fours(layer, input, output);
        } else {
            stream_fours_table(layer, input, output);
        }
        input += layer->stride / 2;
        output += layer->output_stride / 2;
    }
}

#endif
