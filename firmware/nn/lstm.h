/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LSTM_H
#define NN_LSTM_H

#include "nn/dense_block.h"
#include "nn/fixed_point.h"
#include "nn/requantize.h"
#include "nn/widen.h"
#include <stdint.h>
#include <string.h>

enum { LSTM_INPUT, LSTM_FORGET, LSTM_CELL, LSTM_OUTPUT, LSTM_GATES };

/* A real multiplier: value * 2^(left - right - 31). */
typedef struct {
    int32_t value, left, right;
} lstm_scale_t;

/*
 * A long short-term memory: int8 in and out, gates in Q3.12 and Q0.15, a cell state of 16 bits that lasts, as
 * the hidden state does, from one call to the next. Each step of time, of the newest input x and the last
 * output h:
 *     gate = Wx * x + Wh * h + bias, of each of the four
 *     cell = logistic(forget) * cell + logistic(input) * tanh(cell gate)
 *     h    = logistic(output) * tanh(cell)
 */
typedef struct {
    const uint32_t *weights;  /* unit by unit, over inputs, then over units: the four gates are the four
                                 outputs of nn/dense_block.h */
    const int32_t *biases;    /* [units][2][gates]: where the sums over x and over h start */
    const uint16_t *logistic; /* 1 / (1 + exp(-i / 24)) in Q0.16, i from 0 to 255; of lstm_interpolated() */
    int32_t steps, inputs, units;
    lstm_scale_t by_input[LSTM_GATES], by_hidden[LSTM_GATES]; /* from the sums to Q3.12 */
    lstm_scale_t by_output;                                   /* from Q0.30 to h */
    int32_t zero_point;                                       /* of h */
    int32_t cell_bits;                                        /* of the cell state's fraction: 9..15 */
    int32_t clip;                                             /* the cell state's largest value; 0: none */
} lstm_t;

DSP_INLINE int32_t lstm_saturate(int32_t value)
{
    return requantize_clamp(value, INT16_MIN, INT16_MAX);
}

/* All four gates' products with one vector, from their biases on. */
DSP_INLINE const uint32_t *lstm_sums(const uint32_t *weights, const int16_t *values, int32_t octets,
                                     const int32_t *biases, int32_t *sums, int bytes)
{
    weights = bytes == 1 ? dense_block(weights, values, octets, sums)
                         : dense_block_int16(weights, values, octets, sums);
    for (int32_t gate = 0; gate < LSTM_GATES; gate++) {
        sums[gate] = (int32_t)((uint32_t)sums[gate] + (uint32_t)biases[gate]);
    }
    return weights;
}

/*
 * Between two values of the table. x: in Q(3 - up).(12 + up), up from -3 to 3; bits: of the fraction between
 * two values, 9 for 1 / (1 + exp(-x)), 8 for 1 / (1 + exp(-2x)), which the tangent is made of. The result has
 * 16 + bits bits of fraction; *negative: x is below 0, which the caller sees to.
 */
DSP_INLINE int32_t lstm_between(const uint16_t *table, int32_t x, int32_t up, int32_t bits, int32_t most,
                                int32_t *negative)
{
    int32_t scaled = up < 0 ? x * 3 * (1 << -up) : up > 0 ? (x * 3 + (1 << (up - 1))) >> up : x * 3;
    int32_t size = scaled < 0 ? -scaled : scaled, place = size >> bits;
    *negative = scaled < 0;
    if (place >= 255) {
        return most;
    }
    int32_t here = table[place], next = table[place + 1];
    return here * (1 << bits) + (size & ((1 << bits) - 1)) * (next - here);
}

/* 1 / (1 + exp(-x)) in Q0.15 of x in Q3.12 */
DSP_INLINE int32_t lstm_logistic_between(const uint16_t *table, int32_t x)
{
    int32_t negative;
    int32_t value = lstm_between(table, x, 0, 9, INT16_MAX << 10, &negative);
    value = negative ? (1 << 25) - value + (1 << 9) - 1 : value + (1 << 9);
    return value >> 10;
}

/* tanh(x) in Q0.15 of x in Q(3 - up).(12 + up) */
DSP_INLINE int32_t lstm_tanh_between(const uint16_t *table, int32_t x, int32_t up)
{
    int32_t negative;
    int32_t value = lstm_between(table, x, up, 8, UINT16_MAX << 8, &negative);
    value = negative ? (1 << 23) - value + (1 << 7) - 1 : value - (1 << 23) + (1 << 7);
    return value >> 8;
}

/* a * b / 2^bits: rounded once, or first to a half and then again */
DSP_INLINE int32_t lstm_product(int32_t a, int32_t b, int32_t bits, int between)
{
    return between ? fixed_shift((a * b + 1) >> 1, bits - 1) : fixed_shift(a * b, bits);
}

/* One unit's next output. gates: in Q3.12 */
DSP_INLINE int8_t lstm_unit(const lstm_t *layer, const int32_t *gates, int16_t *cell, int between)
{
    const uint16_t *table = layer->logistic;
    const int32_t cell_bits = layer->cell_bits;
    int32_t in, forget, value, out;
    if (between) {
        in = lstm_logistic_between(table, gates[LSTM_INPUT]);
        forget = lstm_logistic_between(table, gates[LSTM_FORGET]);
        value = lstm_tanh_between(table, gates[LSTM_CELL], 0);
        out = lstm_logistic_between(table, gates[LSTM_OUTPUT]);
    } else {
        in = fixed_logistic(gates[LSTM_INPUT]);
        forget = fixed_logistic(gates[LSTM_FORGET]);
        value = fixed_tanh(gates[LSTM_CELL], 3);
        out = fixed_logistic(gates[LSTM_OUTPUT]);
    }
    int32_t next = lstm_saturate(lstm_product(forget, *cell, 15, between) +
                                 lstm_product(in, value, 30 - cell_bits, between));
    if (layer->clip > 0) {
        next = requantize_clamp(next, -layer->clip, layer->clip);
    }
    *cell = (int16_t)next;
    int32_t bent =
        between ? lstm_tanh_between(table, next, cell_bits - 12) : fixed_tanh(next, 15 - cell_bits);
    const lstm_scale_t *by = &layer->by_output;
    int32_t hidden = requantize_multiply(out * bent, by->value, by->left, by->right) + layer->zero_point;
    return (int8_t)requantize_clamp(hidden, INT8_MIN, INT8_MAX);
}

/* between: functions from a table and the roundings of TensorFlow Lite Micro; otherwise LiteRT's. bytes: of a
 * weight */
DSP_INLINE void lstm_steps(const lstm_t *layer, const int8_t *input, int8_t *hidden, int16_t *cell,
                           int8_t *output, int16_t *scratch, int between, int bytes)
{
    const int32_t octets = (layer->inputs + 7) / 8, last_octets = (layer->units + 7) / 8;
    const int8_t *last = hidden;
    for (int32_t step = 0; step < layer->steps; step++) {
        const uint32_t *weights = layer->weights;
        const int32_t *biases = layer->biases;
        widen_octets(scratch, input, layer->inputs, octets);
        widen_octets(scratch + 8 * octets, last, layer->units, last_octets);
        for (int32_t unit = 0; unit < layer->units; unit++, biases += 2 * LSTM_GATES) {
            int32_t gates[LSTM_GATES], sums[LSTM_GATES];
            weights = lstm_sums(weights, scratch, octets, biases, gates, bytes);
            weights = lstm_sums(weights, scratch + 8 * octets, last_octets, biases + LSTM_GATES, sums, bytes);
            for (int32_t gate = 0; gate < LSTM_GATES; gate++) {
                const lstm_scale_t *by_input = &layer->by_input[gate], *by_hidden = &layer->by_hidden[gate];
                int32_t a =
                    requantize_multiply(gates[gate], by_input->value, by_input->left, by_input->right);
                int32_t b =
                    requantize_multiply(sums[gate], by_hidden->value, by_hidden->left, by_hidden->right);
                gates[gate] = lstm_saturate(lstm_saturate(a) + (between ? lstm_saturate(b) : b));
            }
            output[unit] = lstm_unit(layer, gates, &cell[unit], between);
        }
        last = output;
        input += layer->inputs;
        output += layer->units;
    }
    memcpy(hidden, last, (size_t)layer->units);
}

/*
 * name() as LiteRT's reference kernels compute it, name_interpolated() as TensorFlow Lite Micro does; weights
 * of so many bytes: with one, none is -128 and a vector has at most 512 values. hidden, cell: the layer's
 * states; scratch, aligned to 4: 16 bytes for each octet of inputs and of units
 */
#define LSTM_KERNELS(name, bytes)                                                                            \
    LSTM_KERNEL(name, 0, bytes)                                                                              \
    LSTM_KERNEL(name##_interpolated, 1, bytes)
#define LSTM_KERNEL(name, between, bytes)                                                                    \
    KERNEL void name(const lstm_t *layer, const int8_t *input, int8_t *hidden, int16_t *cell,                \
                     int8_t *output, void *scratch)                                                          \
    {                                                                                                        \
        lstm_steps(layer, input, hidden, cell, output, scratch, between, bytes);                             \
    }

LSTM_KERNELS(lstm, 1)
LSTM_KERNELS(lstm_int16, 2)

#endif
