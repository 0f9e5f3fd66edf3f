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
 * the dense layer gave is kept for `memory` calls, 16 bits each, the newest last:
 *     state[part][newest] = by_feature * sum of features[part][i] * (input[i] - input zero point)
 *     output[unit] = zero_point + by_time * (bias[unit] + sum over its parts of sum of time[part] *
 * state[part]) Sums wrap, as the reference's do.
 */
typedef struct {
    const int8_t *features; /* [units * rank][inputs] */
    const int32_t *starts;  /* [units * rank]: -input zero point * sum of features */
    const int16_t *time;    /* [units * rank][memory], the oldest first */
    const int32_t *biases;  /* [units] */
    int32_t inputs, units, rank, memory;
    svdf_scale_t by_feature, by_time;
    int32_t zero_point; /* of the output */
} svdf_t;

DSP_INLINE int32_t svdf_scale(int32_t value, const svdf_scale_t *by)
{
    return requantize_multiply(value, by->value, by->left, by->right);
}

/* state: [units * rank][memory], which lasts from call to call */
KERNEL void svdf(const svdf_t *layer, const int8_t *input, int16_t *state, int8_t *output)
{
    const int8_t *features = layer->features;
    const int16_t *time = layer->time;
    const int32_t *starts = layer->starts;
    const int32_t inputs = layer->inputs, memory = layer->memory;
    for (int32_t unit = 0; unit < layer->units; unit++) {
        uint32_t sum = (uint32_t)layer->biases[unit];
        for (int32_t part = 0; part < layer->rank; part++) {
            int32_t newest = *starts++;
            for (int32_t i = 0; i < inputs; i++)
                newest += features[i] * input[i];
            features += inputs;
            memmove(state, state + 1, (size_t)(memory - 1) * sizeof *state);
            newest = svdf_scale(newest, &layer->by_feature);
            state[memory - 1] = (int16_t)requantize_clamp(newest, INT16_MIN, INT16_MAX);
            for (int32_t i = 0; i < memory; i++)
                sum += (uint32_t)(time[i] * state[i]);
            time += memory;
            state += memory;
        }
        const uint32_t scaled = (uint32_t)svdf_scale((int32_t)sum, &layer->by_time);
        const int32_t value = (int32_t)(scaled + (uint32_t)layer->zero_point);
        output[unit] = (int8_t)requantize_clamp(value, INT8_MIN, INT8_MAX);
    }
}

#endif
