/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FULLY_CONNECTED_H
#define NN_FULLY_CONNECTED_H

#include "nn/dense_block.h"
#include "nn/requantize.h"
#include "nn/widen.h"
#include <stdint.h>
#include <string.h>

/* Dense layer: every output from all inputs. The zero point of the input is folded into the biases. */
typedef struct {
    const uint32_t *weights; /* segment by segment of the inputs: four outputs at a time, as nn/dense_block.h
                                describes; of the last one or two, where no more are left over, a pair */
    int32_t octets;          /* inputs / 8, rounded up */
    int32_t segment;         /* octets of a segment; so many keep every sum of a pair exact */
    const requantize_t *channels;    /* one an output; not for fully_connected_wide */
    const requantize_wide_t *wide;   /* for that one */
    const int32_t *biases;           /* for fully_connected_steps, and */
    const int32_t *steps;            /* the least sum of each level of an output above the lowest */
    int32_t step_count, step_stride; /* of an output, and to the next output's: 0 where all have the same */
    int32_t batches;                 /* input vectors, one after the other */
    int32_t inputs, outputs;
    int32_t zero_point, low, high; /* of the output; fully_connected clamps to int8 */
} fully_connected_t;

/* How a sum is rounded: see requantize_once, requantize_wide, requantize_int8, requantize_fast. */
typedef enum {
    FULLY_CONNECTED_ONCE,
    FULLY_CONNECTED_WIDE,
    FULLY_CONNECTED_STEPS,
    FULLY_CONNECTED_TWICE,
    FULLY_CONNECTED_FAST
} fully_connected_form_t;

DSP_INLINE int32_t fully_connected_bias(const fully_connected_t *layer, int32_t output,
                                        fully_connected_form_t form)
{
    if (form == FULLY_CONNECTED_STEPS) {
        return layer->biases[output];
    }
    return form == FULLY_CONNECTED_WIDE ? layer->wide[output].bias : layer->channels[output].bias;
}

/* The level of a sum: how many steps it has reached. */
DSP_INLINE int8_t fully_connected_level(const fully_connected_t *layer, int32_t output, int32_t sum)
{
    const int32_t *steps = layer->steps + output * layer->step_stride;
    int32_t reached = 0, end = layer->step_count;
    while (reached < end) {
        int32_t middle = (reached + end) / 2;
        if (sum >= steps[middle]) {
            reached = middle + 1;
        } else {
            end = middle;
        }
    }
    return (int8_t)(layer->low + reached);
}

DSP_INLINE int8_t fully_connected_output(const fully_connected_t *layer, int32_t output, int32_t sum,
                                         fully_connected_form_t form)
{
    if (form == FULLY_CONNECTED_ONCE) {
        return requantize_once(sum, &layer->channels[output]);
    }
    if (form == FULLY_CONNECTED_FAST) {
        return requantize_fast(sum, &layer->channels[output]);
    }
    if (form == FULLY_CONNECTED_WIDE) {
        return requantize_wide(sum, &layer->wide[output], layer->zero_point, layer->low, layer->high);
    }
    if (form == FULLY_CONNECTED_STEPS) {
        return fully_connected_level(layer, output, sum);
    }
    return requantize_int8(sum, &layer->channels[output], layer->zero_point, layer->low, layer->high);
}

DSP_INLINE int8_t fully_connected_value(const fully_connected_t *layer, int32_t output, int32_t sum,
                                        fully_connected_form_t form)
{
    uint32_t whole = (uint32_t)sum + (uint32_t)fully_connected_bias(layer, output, form);
    return fully_connected_output(layer, output, (int32_t)whole, form);
}

/* Outputs from `output` on, at most four, of their sums without bias. */
DSP_INLINE void fully_connected_finish(const fully_connected_t *layer, int32_t output, const int32_t sums[4],
                                       int8_t *to, fully_connected_form_t form)
{
    to += output;
    if (layer->outputs - output >= 4) {
        to[0] = fully_connected_value(layer, output, sums[0], form);
        to[1] = fully_connected_value(layer, output + 1, sums[1], form);
        to[2] = fully_connected_value(layer, output + 2, sums[2], form);
        to[3] = fully_connected_value(layer, output + 3, sums[3], form);
        return;
    }
    for (int32_t i = 0; output + i < layer->outputs; i++) {
        to[i] = fully_connected_value(layer, output + i, sums[i], form);
    }
}

/* Sums of the last one or two outputs, and zeros for those a four lacks; returns the words after. */
DSP_INLINE const uint32_t *fully_connected_pair(const uint32_t *weights, const int16_t *input, int32_t octets,
                                                int32_t sums[4])
{
    int32_t a = 0, c = 0;
    for (const uint32_t *end = weights + 4 * octets; weights != end; weights += 2, input += 4) {
        uint32_t inputs[2];
        memcpy(inputs, input, sizeof inputs);
        c = dsp_dot(weights[0], inputs[0], c);
        c = dsp_dot(weights[1], inputs[1], c);
        a = dsp_dot(dsp_even(weights[0]), inputs[0], a);
        a = dsp_dot(dsp_even(weights[1]), inputs[1], a);
    }
    sums[0] = a;
    sums[1] = (int32_t)((uint32_t)c - (uint32_t)a) >> 8;
    sums[2] = sums[3] = 0;
    return weights;
}

/* How outputs in fours end: the last one or two make a pair where weights have one byte. */
DSP_INLINE int32_t fully_connected_fours(const fully_connected_t *layer, int bytes)
{
    int32_t left = layer->outputs & 3;
    return bytes == 1 && (left == 1 || left == 2) ? layer->outputs - left : layer->outputs;
}

/*
 * One vector, a segment at a time: the first leaves its sums in `totals`, the others add to them, the last
 * makes the outputs. Where there is one segment only, nothing is kept.
 */
DSP_INLINE void fully_connected_vector(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                       int16_t *scratch, fully_connected_form_t form, int bytes)
{
    const uint32_t *weights = layer->weights;
    const int32_t fours = fully_connected_fours(layer, bytes);
    int32_t *totals = (int32_t *)(void *)(scratch + 8 * layer->segment);
    for (int32_t done = 0; done < layer->octets; done += layer->segment) {
        const int32_t left = layer->octets - done, inputs = layer->inputs - 8 * done;
        const int32_t octets = left < layer->segment ? left : layer->segment;
        const int last = left <= layer->segment;
        widen_octets(scratch, input + 8 * done, inputs < 8 * octets ? inputs : 8 * octets, octets);
        for (int32_t i = 0; i < layer->outputs; i += 4) {
            int32_t sums[4];
            weights = i >= fours   ? fully_connected_pair(weights, scratch, octets, sums)
                      : bytes == 1 ? dense_block(weights, scratch, octets, sums)
                                   : dense_block_int16(weights, scratch, octets, sums);
            if (done > 0) {
                for (int32_t j = 0; j < 4; j++) {
                    sums[j] = (int32_t)((uint32_t)sums[j] + (uint32_t)totals[i + j]);
                }
            }
            if (last) {
                fully_connected_finish(layer, i, sums, output, form);
            } else {
                memcpy(totals + i, sums, sizeof sums);
            }
        }
    }
}

DSP_INLINE void fully_connected_all(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                    void *scratch, fully_connected_form_t form, int bytes)
{
    for (int32_t batch = 0; batch < layer->batches; batch++) {
        fully_connected_vector(layer, input, output, scratch, form, bytes);
        input += layer->inputs;
        output += layer->outputs;
    }
}

/*
 * The kernels of weights of so many bytes, named after how a sum is rounded:
 *     name()          by the nearest multiplier
 *     name_wide()     any multiplier, zero point and clamp
 *     name_steps()    where no multiplier puts every step at the right sum: the steps themselves
 *     name_twice()    TensorFlow Lite Micro's rounding, as convolutions have it
 *     name_fast()     the same in few instructions, where requantize_fast serves every output
 *
 * scratch, aligned to 4: 16 * segment bytes, and where there are several segments 4 for each output, in
 * fours. They may work in place where no vector is overwritten before its turn.
 */
#define FULLY_CONNECTED_KERNELS(name, bytes)                                                                 \
    FULLY_CONNECTED_KERNEL(name, FULLY_CONNECTED_ONCE, bytes)                                                \
    FULLY_CONNECTED_KERNEL(name##_wide, FULLY_CONNECTED_WIDE, bytes)                                         \
    FULLY_CONNECTED_KERNEL(name##_steps, FULLY_CONNECTED_STEPS, bytes)                                       \
    FULLY_CONNECTED_KERNEL(name##_twice, FULLY_CONNECTED_TWICE, bytes)                                       \
    FULLY_CONNECTED_KERNEL(name##_fast, FULLY_CONNECTED_FAST, bytes)
#define FULLY_CONNECTED_KERNEL(name, form, bytes)                                                            \
    KERNEL void name(const fully_connected_t *layer, const int8_t *input, int8_t *output, void *scratch)     \
    {                                                                                                        \
        fully_connected_all(layer, input, output, scratch, form, bytes);                                     \
    }

FULLY_CONNECTED_KERNELS(fully_connected, 1)

#endif
