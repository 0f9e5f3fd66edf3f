/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BLOCK_DSP_H
#define NN_BLOCK_DSP_H

/*
 * What the blocks of nn/conv_block_dsp.h and nn/stream_conv_2d_dsp.h have in common: two channels at three
 * positions, their sums A in r2, r3, r4 and C in r5, r6, r7, the words of nn/conv_block.h after r0. The
 * numbers given to the macros below are those of three registers with sums of one channel.
 */

/* clang-format off */
/* A and C of all positions begin at the biases; then to the dot product, whose entry is in r8. */
#define BLOCK_BEGIN                                                                                         \
    "mov    r3, r2                      \n"                                                                 \
    "mov    r4, r2                      \n"                                                                 \
    "mov    r6, r5                      \n"                                                                 \
    "mov    r7, r5                      \n"                                                                 \
    "bx     r8                          \n"                                                                 \
    ".balign 4                          \n"                                                                 \
    "2:                                 \n" /* here the dot product comes back to */                        \
    "sub    r5, r5, r2                  \n"                                                                 \
    "sub    r6, r6, r3                  \n"                                                                 \
    "sub    r7, r7, r4                  \n"

/* The words of a channel: multiplier, add, shift. */
#define BLOCK_CHANNEL                                                                                       \
    "ldmia  r0!, {r8, r9, r10}          \n"
/* sum + round(sum * multiplier / 2^32), halves up */
#define BLOCK_HIGH(x, y, z)                                                                                 \
    "smmlar r" #x ", r" #x ", r8, r" #x "\n"                                                                \
    "smmlar r" #y ", r" #y ", r8, r" #y "\n"                                                                \
    "smmlar r" #z ", r" #z ", r8, r" #z "\n"
/* Halves away from zero: one less for a negative sum, before the shift. */
#define BLOCK_AWAY(x, y, z)                                                                                 \
    "add    r" #x ", r" #x ", r" #x ", asr #31\n"                                                           \
    "add    r" #y ", r" #y ", r" #y ", asr #31\n"                                                           \
    "add    r" #z ", r" #z ", r" #z ", asr #31\n"
#define BLOCK_ADD(x, y, z)                                                                                  \
    "add    r" #x ", r" #x ", r9\n"                                                                         \
    "add    r" #y ", r" #y ", r9\n"                                                                         \
    "add    r" #z ", r" #z ", r9\n"
#define BLOCK_SHIFT(x, y, z)                                                                                \
    "asr    r" #x ", r" #x ", r10\n"                                                                        \
    "asr    r" #y ", r" #y ", r10\n"                                                                        \
    "asr    r" #z ", r" #z ", r10\n"
/* The nearest int8. */
#define BLOCK_SSAT(x, y, z)                                                                                 \
    "ssat   r" #x ", #8, r" #x "\n"                                                                         \
    "ssat   r" #y ", #8, r" #y "\n"                                                                         \
    "ssat   r" #z ", #8, r" #z "\n"
/* The nearest uint8. */
#define BLOCK_USAT(x, y, z)                                                                                 \
    "usat   r" #x ", #8, r" #x "\n"                                                                         \
    "usat   r" #y ", #8, r" #y "\n"                                                                         \
    "usat   r" #z ", #8, r" #z "\n"
#define BLOCK_NOTHING(x, y, z)
/* clang-format on */

#endif
