/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FULLY_CONNECTED_PAIRS_H
#define NN_FULLY_CONNECTED_PAIRS_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "nn/conv_block.h"
#include <stdint.h>

/*
 * All products of one vector: a convolution of one window, or a dense layer. Two outputs share a word of
 * weights, and their words are those of nn/conv_block.h; weights of four inputs stand in the order 0 2 1 3,
 * so that two sign extensions widen four inputs.
 */
typedef struct {
    conv_block_t block;
    int32_t inputs;
} fully_connected_pairs_t;

/* The output of a sum. unit: what its multiplier lacks; once: rounded as requantize_once does */
DSP_INLINE int8_t fully_connected_pairs_output(const conv_block_t *layer, int32_t sum,
                                               const uint32_t *requantize, int64_t unit, int once)
{
    if (!once) {
        return conv_block_output(layer, sum, requantize, unit);
    }
    const int64_t high = sum * (unit + (int32_t)requantize[0]) >> 32;
    return dsp_saturate((int32_t)(high + (int32_t)requantize[1]) >> requantize[2]);
}

/* Two outputs, or the first of them. input: two a word */
DSP_INLINE void fully_connected_pairs_two(const conv_block_t *layer, const uint32_t *words,
                                          const uint32_t *input, int8_t *output, int32_t count, int once)
{
    const uint32_t *requantize = words + 2 + 2 * layer->steps;
    int32_t a = (int32_t)words[0], c = (int32_t)words[1];
    for (int32_t i = 0; i < 2 * layer->steps; i++) {
        a = dsp_dot(dsp_even(words[2 + i]), input[i], a);
        c = dsp_dot(words[2 + i], input[i], c);
    }
    output[0] = fully_connected_pairs_output(layer, a, requantize, (int64_t)1 << 32, once);
    if (count > 1) {
        int32_t b = (int32_t)((uint32_t)c - (uint32_t)a) >> 8;
        output[1] = fully_connected_pairs_output(layer, 2 * b, requantize + 3, 0, once);
    }
}

#if DSP
#include "nn/fully_connected_pairs_dsp.h"
#else

/* All whole pairs; returns the place after them. */
DSP_INLINE int8_t *fully_connected_pairs_all(const conv_block_t *layer, const uint32_t *input, int8_t *output,
                                             int once)
{
    for (const uint32_t *words = layer->weights; words != layer->end; words += 8 + 2 * layer->steps) {
        fully_connected_pairs_two(layer, words, input, output, 2, once);
        output += 2;
    }
    return output;
}

#endif

DSP_INLINE void fully_connected_pairs_vector(const fully_connected_pairs_t *layer, const int8_t *input,
                                             int8_t *output, void *scratch, int once)
{
    uint32_t *next = scratch;
    int32_t left = layer->inputs;
    for (; left >= 8; left -= 8, input += 8, next += 4) {
        uint32_t bytes0 = dsp_load_bytes(input), bytes1 = dsp_load_bytes(input + 4);
        next[0] = dsp_even(bytes0);
        next[1] = dsp_odd(bytes0);
        next[2] = dsp_even(bytes1);
        next[3] = dsp_odd(bytes1);
    }
    for (; left > 0; left -= 4, input += 4, next += 2) {
        uint32_t bytes = dsp_load_some_bytes(input, left);
        next[0] = dsp_even(bytes);
        next[1] = dsp_odd(bytes);
    }
    if (layer->block.weights != layer->block.end) {
        output = fully_connected_pairs_all(&layer->block, scratch, output, once);
    }
    if (layer->block.depth % 2 != 0) {
        fully_connected_pairs_two(&layer->block, layer->block.end, scratch, output, 1, once);
    }
}

/* As convolutions are rounded. scratch, aligned to 4: 8 * block.steps bytes. May work in place. */
KERNEL void fully_connected_pairs(const fully_connected_pairs_t *layer, const int8_t *input, int8_t *output,
                                  void *scratch)
{
    fully_connected_pairs_vector(layer, input, output, scratch, 0);
}

/* Rounded once: the multipliers are those of requantize_once (nn/requantize.h). */
KERNEL void fully_connected_pairs_once(const fully_connected_pairs_t *layer, const int8_t *input,
                                       int8_t *output, void *scratch)
{
    fully_connected_pairs_vector(layer, input, output, scratch, 1);
}

#endif
