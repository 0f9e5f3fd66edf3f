#ifndef NN_FULLY_CONNECTED_H
#define NN_FULLY_CONNECTED_H

#include "nn/dot.h"
#include "nn/requantize.h"
#include <stdint.h>
#include <string.h>

/* Dense layer: every output from all inputs. Zero points as in nn/conv_2d.h. */
typedef struct {
    const int8_t
        *weights; /* pairs of outputs, see nn/dot.h; the last inputs % 4 of each pair follow, zero-filled */
    const requantize_t *channels; /* one an output */
    int32_t batches;              /* input vectors, one behind the other */
    int32_t inputs, outputs;
    int32_t rounds;                /* 1: the scaled sum is rounded once, 2: twice as in a convolution */
    int32_t zero_point, low, high; /* of the output */
} fully_connected_t;

SIMD_INLINE int8_t fully_connected_output(const fully_connected_t *layer, int32_t sum,
                                          const requantize_t *channel)
{
    if (layer->rounds == 1) {
        int32_t value =
            requantize_once(sum, channel->multiplier, 31 + channel->right - channel->left + 1, 1 << 16);
        return (int8_t)requantize_clamp(value + layer->zero_point, layer->low, layer->high);
    }
    return requantize_int8(sum, channel, layer->zero_point, layer->low, layer->high);
}

KERNEL void fully_connected(const fully_connected_t *layer, const int8_t *input, int8_t *output)
{
    const dot_window_t whole = {1, layer->inputs & ~3, 0}, rest = {1, 4, 0};
    for (int32_t batch = 0; batch < layer->batches; batch++) {
        const int8_t *weights = layer->weights;
        int8_t tail[4] = {0};
        memcpy(tail, input + whole.length, (size_t)(layer->inputs & 3));
        for (int32_t i = 0; i < layer->outputs; i += 2) {
            const requantize_t *channel = &layer->channels[i];
            int second = i + 1 < layer->outputs;
            int32_t sums[2] = {channel[0].bias, second ? channel[1].bias : 0};
            dot_2x1(weights, input, &whole, sums);
            weights += 2 * whole.length;
            if (layer->inputs & 3) {
                dot_2x1(weights, tail, &rest, sums);
                weights += 8;
            }
            output[i] = fully_connected_output(layer, sums[0], channel);
            if (second) {
                output[i + 1] = fully_connected_output(layer, sums[1], channel + 1);
            }
        }
        input += layer->inputs;
        output += layer->outputs;
    }
}

#endif
