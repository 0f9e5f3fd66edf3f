/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FULLY_CONNECTED_16X8_H
#define NN_FULLY_CONNECTED_16X8_H

#include "nn/dot_16x8.h"
#include "nn/requantize_16x8.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Dense layer with 16-bit activations and 8-bit weights: four or two outputs at a time (nn/dot_16x8.h). */
typedef struct {
    const uint32_t *weights; /* of each pair of outputs 2 * steps words; an odd last output has a pair, too */
    const requantize_exact_t *exact; /* one an output, or */
    const requantize_t *channels;    /* for reduced and twice, or */
    const requantize_16x8_t *wide;   /* for reduced_wide */
    int32_t batches;                 /* input vectors, one after the other */
    int32_t inputs, outputs;
    int32_t steps;     /* inputs / 4, rounded up */
    int32_t low, high; /* clamp */
} fully_connected_16x8_t;

/* How a sum is rounded: see nn/requantize_16x8.h. */
typedef enum {
    FULLY_CONNECTED_16X8_EXACT,
    FULLY_CONNECTED_16X8_REDUCED,
    FULLY_CONNECTED_16X8_TWICE
} fully_connected_16x8_form_t;

DSP_INLINE int16_t fully_connected_16x8_clamped(const fully_connected_16x8_t *layer, int32_t value)
{
    return (int16_t)requantize_clamp(value, layer->low, layer->high);
}

/* Outputs from `output` on, at most four, of their sums. */
DSP_INLINE void fully_connected_16x8_finish(const fully_connected_16x8_t *layer, int32_t output,
                                            const int32_t sums[4], int16_t *to,
                                            fully_connected_16x8_form_t form)
{
    const int32_t left = layer->outputs - output;
    for (int32_t i = 0; i < 4 && i < left; i++) {
        int32_t value =
            form == FULLY_CONNECTED_16X8_EXACT ? requantize_exact_narrow(sums[i], &layer->exact[output + i])
            : form == FULLY_CONNECTED_16X8_REDUCED ? requantize_narrow(sums[i], &layer->channels[output + i])
                                                   : requantize_twice(sums[i], &layer->channels[output + i]);
        to[output + i] = fully_connected_16x8_clamped(layer, value);
    }
}

DSP_INLINE int32_t fully_connected_16x8_bias(const fully_connected_16x8_t *layer, int32_t output,
                                             fully_connected_16x8_form_t form)
{
    return form == FULLY_CONNECTED_16X8_EXACT ? (int32_t)layer->exact[output].bias
                                              : layer->channels[output].bias;
}

/* One vector, whose sums fit 32 bits; its inputs are in `taps`. */
DSP_INLINE void fully_connected_16x8_narrow(const fully_connected_16x8_t *layer, const int16_t *taps,
                                            int16_t *output, fully_connected_16x8_form_t form)
{
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < layer->outputs; i += 4, weights += 4 * layer->steps) {
        const int32_t given = layer->outputs - i > 2 ? 4 : 2; /* a pair is whole */
        int32_t sums[4];
        for (int32_t j = 0; j < given; j++) {
            sums[j] = fully_connected_16x8_bias(layer, i + j, form);
        }
        if (given == 4) {
            dot_16x8_pairs(weights, taps, layer->steps, sums);
        } else {
            dot_16x8_one(weights, taps, layer->steps, sums);
        }
        fully_connected_16x8_finish(layer, i, sums, output, form);
    }
}

/* The same, whose sums have 64 bits. */
DSP_INLINE void fully_connected_16x8_vector_wide(const fully_connected_16x8_t *layer, const int16_t *taps,
                                                 int16_t *output, int exact)
{
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < layer->outputs; i += 2, weights += 2 * layer->steps) {
        int64_t sums[2] = {exact ? layer->exact[i].bias : layer->wide[i].bias,
                           exact ? layer->exact[i + 1].bias : layer->wide[i + 1].bias};
        dot_16x8_wide(weights, taps, layer->steps, sums);
        for (int32_t j = 0; j < 2 && i + j < layer->outputs; j++) {
            int32_t value = exact ? requantize_exact(sums[j], &layer->exact[i + j])
                                  : requantize_reduced(sums[j], &layer->wide[i + j]);
            output[i + j] = fully_connected_16x8_clamped(layer, value);
        }
    }
}

DSP_INLINE void fully_connected_16x8_all(const fully_connected_16x8_t *layer, const int16_t *input,
                                         int16_t *output, int16_t *taps, fully_connected_16x8_form_t form,
                                         int wide)
{
    for (int32_t i = layer->inputs; i < 4 * layer->steps; i++) {
        taps[i] = 0;
    }
    for (int32_t batch = 0; batch < layer->batches; batch++) {
        memcpy(taps, input, 2 * (size_t)layer->inputs);
        if (wide) {
            fully_connected_16x8_vector_wide(layer, taps, output, form == FULLY_CONNECTED_16X8_EXACT);
        } else {
            fully_connected_16x8_narrow(layer, taps, output, form);
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

/*
 * By how sums become outputs: exact, of sums of 32 or 64 bits; reduced, of both; twice.
 * input, output: int16, aligned to 2; scratch, aligned to 4: 8 * steps bytes
 */
#define FULLY_CONNECTED_16X8_KERNEL(name, form, wide)                                                        \
    KERNEL void name(const fully_connected_16x8_t *layer, const void *input, void *output, void *scratch)    \
    {                                                                                                        \
        fully_connected_16x8_all(layer, input, output, scratch, form, wide);                                 \
    }

FULLY_CONNECTED_16X8_KERNEL(fully_connected_16x8, FULLY_CONNECTED_16X8_EXACT, 0)
FULLY_CONNECTED_16X8_KERNEL(fully_connected_16x8_wide, FULLY_CONNECTED_16X8_EXACT, 1)
FULLY_CONNECTED_16X8_KERNEL(fully_connected_16x8_reduced, FULLY_CONNECTED_16X8_REDUCED, 0)
FULLY_CONNECTED_16X8_KERNEL(fully_connected_16x8_reduced_wide, FULLY_CONNECTED_16X8_REDUCED, 1)
FULLY_CONNECTED_16X8_KERNEL(fully_connected_16x8_twice, FULLY_CONNECTED_16X8_TWICE, 0)

#endif
