/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SVDF_H
#define NN_SVDF_H

#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/* A real multiplier: value * 2^(left - right - 31). */
typedef struct {
    int32_t value, left, right;
} svdf_scale_t;

/*
 * A dense layer followed by a filter over time, in `rank` parts a unit: int8 in and out. What the parts of
 * the dense layer gave is kept for `memory` calls, in 16 or 8 bits each, the newest last:
 *     state[part][newest] = state zero point + by_feature * sum of features[part][i] * (input[i] - input zero
 *                           point)
 *     output[unit] = zero_point + by_time * (bias[unit] + sum over its parts of sum of time[part] *
 * (state[part]
 *                    - state zero point))
 * Sums wrap, as the reference's do, and so does a state of 8 bits with its zero point.
 */
typedef struct {
    const int8_t *features; /* [units * rank][inputs] */
    const int32_t *starts;  /* [units * rank]: -input zero point * sum of features */
    const void *time;       /* [units * rank][memory] of the state's type, the oldest first */
    const int32_t *biases;  /* [units] */
    int32_t inputs, units, rank, memory;
    svdf_scale_t by_feature, by_time;
    int32_t zero_point;       /* of the output */
    int32_t state_zero_point; /* 0 where it has 16 bits */
} svdf_t;

DSP_INLINE int32_t svdf_scale(int32_t value, const svdf_scale_t *by)
{
    return requantize_multiply(value, by->value, by->left, by->right);
}

/* One unit's part: what its state and weights over time give. wide: of 16 bits; newest: not scaled yet */
DSP_INLINE uint32_t svdf_part(const svdf_t *layer, const void *time, void *state, int32_t newest, int wide)
{
    const int32_t last = layer->memory - 1, zero = layer->state_zero_point;
    uint32_t sum = 0;
    newest = svdf_scale(newest, &layer->by_feature);
    if (wide) {
        int16_t *states = state;
        const int16_t *weights = time;
        memmove(states, states + 1, (size_t)last * sizeof *states);
        states[last] = (int16_t)requantize_clamp(newest, INT16_MIN, INT16_MAX);
        for (int32_t i = 0; i <= last; i++) {
            sum += (uint32_t)(weights[i] * states[i]);
        }
    } else {
        int8_t *states = state;
        const int8_t *weights = time;
        memmove(states, states + 1, (size_t)last);
        states[last] = (int8_t)(requantize_clamp(newest, INT8_MIN, INT8_MAX) + zero);
        for (int32_t i = 0; i <= last; i++) {
            sum += (uint32_t)(weights[i] * (states[i] - zero));
        }
    }
    return sum;
}

DSP_INLINE void svdf_units(const svdf_t *layer, const int8_t *input, void *state, int8_t *output, int wide)
{
    const int8_t *features = layer->features, *time = layer->time;
    int8_t *states = state;
    const int32_t *starts = layer->starts;
    const int32_t inputs = layer->inputs, row = layer->memory * (wide ? 2 : 1); /* bytes */
    for (int32_t unit = 0; unit < layer->units; unit++) {
        uint32_t sum = (uint32_t)layer->biases[unit];
        for (int32_t part = 0; part < layer->rank; part++) {
            int32_t newest = *starts++;
            for (int32_t i = 0; i < inputs; i++) {
                newest += features[i] * input[i];
            }
            sum += svdf_part(layer, time, states, newest, wide);
            features += inputs;
            time += row;
            states += row;
        }
        const uint32_t scaled = (uint32_t)svdf_scale((int32_t)sum, &layer->by_time);
        const int32_t value = (int32_t)(scaled + (uint32_t)layer->zero_point);
        output[unit] = (int8_t)requantize_clamp(value, INT8_MIN, INT8_MAX);
    }
}

/* state: [units * rank][memory], which lasts from call to call */
KERNEL void svdf(const svdf_t *layer, const int8_t *input, int16_t *state, int8_t *output)
{
    svdf_units(layer, input, state, output, 1);
}

/* The same with a state and weights over time of 8 bits. */
KERNEL void svdf_int8(const svdf_t *layer, const int8_t *input, int8_t *state, int8_t *output)
{
    svdf_units(layer, input, state, output, 0);
}

#endif
