#ifndef NN_FULLY_CONNECTED_H
#define NN_FULLY_CONNECTED_H

#include "nn/dot.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/* Dense layer: every output from all inputs. Zero points as in nn/conv_2d.h. */
typedef struct {
    const int8_t *weights; /* pairs of outputs, see nn/dot.h; the last inputs % 4 are filled with zeros */
    const requantize_t *channels;    /* one an output, an even number; not for fully_connected_wide */
    const requantize_wide_t *wide;   /* for that one */
    const int32_t *biases;           /* for fully_connected_steps, and */
    const int32_t *steps;            /* the least sum of each level of an output above the lowest */
    int32_t step_count, step_stride; /* of an output, and to the next output's: 0 where all have the same */
    int32_t batches;                 /* input vectors, one behind the other */
    int32_t inputs, outputs;
    int32_t zero_point, low, high; /* of the output; fully_connected clamps to int8 */
} fully_connected_t;

/* How a sum is rounded: see requantize_once, requantize_wide, requantize_int8. */
typedef enum {
    FULLY_CONNECTED_ONCE,
    FULLY_CONNECTED_WIDE,
    FULLY_CONNECTED_STEPS,
    FULLY_CONNECTED_TWICE
} fully_connected_form_t;

SIMD_INLINE int32_t fully_connected_bias(const fully_connected_t *layer, int32_t output,
                                         fully_connected_form_t form)
{
    if (form == FULLY_CONNECTED_STEPS) {
        return layer->biases[output];
    }
    return form == FULLY_CONNECTED_WIDE ? layer->wide[output].bias : layer->channels[output].bias;
}

/* The level of a sum: how many steps it has reached. */
SIMD_INLINE int8_t fully_connected_level(const fully_connected_t *layer, int32_t output, int32_t sum)
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

SIMD_INLINE int8_t fully_connected_output(const fully_connected_t *layer, int32_t output, int32_t sum,
                                          fully_connected_form_t form)
{
    if (form == FULLY_CONNECTED_ONCE) {
        return requantize_once(sum, &layer->channels[output]);
    }
    if (form == FULLY_CONNECTED_WIDE) {
        return requantize_wide(sum, &layer->wide[output], layer->zero_point, layer->low, layer->high);
    }
    if (form == FULLY_CONNECTED_STEPS) {
        return fully_connected_level(layer, output, sum);
    }
    return requantize_int8(sum, &layer->channels[output], layer->zero_point, layer->low, layer->high);
}

SIMD_INLINE void fully_connected_all(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                     fully_connected_form_t form)
{
    const dot_window_t whole = {1, layer->inputs & ~3, 0}, rest = {1, 4, 0};
    for (int32_t batch = 0; batch < layer->batches; batch++) {
        const int8_t *weights = layer->weights;
        int8_t tail[4] = {0};
        memcpy(tail, input + whole.length, (size_t)(layer->inputs & 3));
        for (int32_t i = 0; i < layer->outputs; i += 2) {
            int32_t sums[2] = {fully_connected_bias(layer, i, form),
                               fully_connected_bias(layer, i + 1, form)};
            dot_2x1(weights, input, &whole, sums);
            weights += 2 * whole.length;
            if (layer->inputs & 3) {
                dot_2x1(weights, tail, &rest, sums);
                weights += 8;
            }
            output[i] = fully_connected_output(layer, i, sums[0], form);
            if (i + 1 < layer->outputs) {
                output[i + 1] = fully_connected_output(layer, i + 1, sums[1], form);
            }
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

KERNEL void fully_connected(const fully_connected_t *layer, const int8_t *input, int8_t *output)
{
    fully_connected_all(layer, input, output, FULLY_CONNECTED_ONCE);
}

/* Any multiplier, zero point and clamp. */
KERNEL void fully_connected_wide(const fully_connected_t *layer, const int8_t *input, int8_t *output)
{
    fully_connected_all(layer, input, output, FULLY_CONNECTED_WIDE);
}

/* Where no multiplier puts every step at the right sum: the steps themselves. */
KERNEL void fully_connected_steps(const fully_connected_t *layer, const int8_t *input, int8_t *output)
{
    fully_connected_all(layer, input, output, FULLY_CONNECTED_STEPS);
}

/* TensorFlow Lite Micro's rounding, as convolutions have it. */
KERNEL void fully_connected_twice(const fully_connected_t *layer, const int8_t *input, int8_t *output)
{
    fully_connected_all(layer, input, output, FULLY_CONNECTED_TWICE);
}

#endif
