/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_3X3_H
#define NN_DEPTHWISE_3X3_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "nn/requantize.h"
#include <stdint.h>

/*
 * A convolution of each channel with its own 3 x 3 taps, dilations 1, any stride from line to line, and 1 or
 * 2 along a line. The picture is walked line by line: along rows or, where that leaves fewer outputs over,
 * along columns. Four channels at a time, the three newest lines are kept widened to int16, two neighbours a
 * word, the lines side by side:
 *
 *     (x0 x1) of lines 0, 1, 2    (x2 x3) of lines 0, 1, 2    ...
 *
 * Two neighbouring outputs read the words P = (x0 x1) and Q = (x2 x3) of three lines. With a line's taps as
 * A = (w0 w1) and C = (w1 w2) they are
 *     w0 * x0 + w1 * x1 + w2 * x2 = A . P + C.high * Q.low
 *     w0 * x1 + w1 * x2 + w2 * x3 = A.low * P.high + C . Q
 * and with stride 2 along the line, R = (x4 x5),
 *     w0 * x0 + w1 * x1 + w2 * x2 = A . P + C.high * Q.low
 *     w0 * x2 + w1 * x3 + w2 * x4 = A . Q + C.high * R.low
 * Padding is the input's zero point, which is folded into the biases. A new line takes the place of the
 * oldest, so the places of the three change in turn.
 *
 * The words of a channel: A, C of each line; bias; multiplier, add, shift. Taps and bias are doubled, so that
 *     value = saturate((add + round(sum * multiplier / 2^32)) >> shift)
 *     add   = 2^(shift - 1) + zero point * 2^shift
 * where values below the zero point are kept, add is one less for a negative sum: as in nn/conv_block.h.
 */
typedef struct {
    const uint32_t *words; /* 10 a channel */
    int32_t depth;
    int32_t lines, points;           /* of the input: lines, and values a channel in one */
    int32_t line_step, point_step;   /* bytes of the input */
    int32_t made_lines, made_points; /* of the output */
    int32_t made_line_step, made_point_step;
    int32_t line_stride;                 /* from line to line of the output */
    int32_t lines_before, points_before; /* padding */
    int32_t zero_point;                  /* of the input */
    int32_t keeps_negative;
} depthwise_3x3_t;

/* One line of the output, in up to four channels. */
typedef struct {
    const uint32_t *words; /* of the first channel */
    const uint32_t *strip; /* of the first channel */
    int8_t *output;
    int32_t channels;
    int32_t phase;       /* which of the three places holds the line of the first taps */
    int32_t step;        /* bytes from one output to the next */
    int32_t span;        /* bytes of all pairs of outputs */
    int32_t strip_bytes; /* from one channel to the next */
    int32_t odd;         /* one output more than the pairs */
} depthwise_3x3_line_t;

#define DEPTHWISE_3X3_CHANNELS 4

#if DSP
#include "nn/depthwise_3x3_dsp.h"
#else

DSP_INLINE int8_t depthwise_3x3_output(const uint32_t *requantize, int32_t sum, int negative)
{
    int32_t add = (int32_t)requantize[1] + (negative ? sum >> 31 : 0);
    return dsp_saturate(dsp_multiply_high(sum, (int32_t)requantize[0], add) >> requantize[2]);
}

/* stride: along the line, 1 or 2 */
DSP_INLINE void depthwise_3x3_run(const depthwise_3x3_line_t *line, int negative, int32_t stride)
{
    for (int32_t channel = 0; channel < line->channels; channel++) {
        const uint32_t *words = line->words + 10 * channel;
        const uint32_t *from = line->strip + channel * (line->strip_bytes / 4);
        int8_t *to = line->output + channel;
        const int32_t pairs = line->step == 0 ? 0 : line->span / (2 * line->step);
        for (int32_t i = 0; i < pairs + line->odd; i++, from += 3 * stride, to += 2 * line->step) {
            int32_t first = (int32_t)words[6], second = first;
            for (int32_t place = 0; place < 3; place++) {
                const uint32_t *taps = words + 2 * ((place + 3 - line->phase) % 3);
                uint32_t p = from[place], q = from[3 + place];
                first = dsp_low_low(taps[1] >> 16, q, dsp_dot(taps[0], p, first));
                if (stride == 1) {
                    second = dsp_dot(taps[1], q, dsp_low_low(taps[0], p >> 16, second));
                } else {
                    second = dsp_low_low(taps[1] >> 16, from[6 + place], dsp_dot(taps[0], q, second));
                }
            }
            to[0] = depthwise_3x3_output(words + 7, first, negative);
            if (i < pairs) {
                to[line->step] = depthwise_3x3_output(words + 7, second, negative);
            }
        }
    }
}

#endif

/* Words u of every channel's strip: the values at two neighbouring points, four bytes each. */
DSP_INLINE void depthwise_3x3_place(uint32_t *to, int32_t strip, int32_t channels, uint32_t first,
                                    uint32_t second)
{
    uint32_t lower = dsp_lows(first, second), upper = dsp_highs(first, second); /* two channels each */
    to[0] = dsp_even(lower);
    if (channels > 1) {
        to[strip] = dsp_odd(lower);
    }
    if (channels > 2) {
        to[2 * strip] = dsp_even(upper);
    }
    if (channels > 3) {
        to[3 * strip] = dsp_odd(upper);
    }
}

/* The bytes of up to four channels at a point of a line, which may lie in the padding. */
DSP_INLINE uint32_t depthwise_3x3_load(const depthwise_3x3_t *layer, const int8_t *line, int32_t point,
                                       int32_t channels)
{
    if (point < 0 || point >= layer->points) {
        return ((uint32_t)layer->zero_point & 0xFFu) * 0x01010101u;
    }
    return dsp_load_some_bytes(line + point * layer->point_step, channels);
}

/* A line into its place of each channel's strip of `words` words. */
DSP_INLINE void depthwise_3x3_widen(const depthwise_3x3_t *layer, uint32_t *to, int32_t words,
                                    int32_t channels, const int8_t *line)
{
    const int32_t strip = 3 * words, step = layer->point_step;
    int32_t word = 0, point = -layer->points_before;
    for (; word < words; word++, point += 2, to += 3) {
        if (channels == 4 && point >= 0 && point + 1 < layer->points) {
            const int8_t *next = line + point * step; /* words that need no padding */
            uint32_t *end = to + 3 * ((layer->points - point) / 2);
            for (uint32_t *second = to + 2 * strip; to != end; to += 3, second += 3, next += 2 * step) {
                uint32_t bytes0 = dsp_load_bytes(next), bytes1 = dsp_load_bytes(next + step);
                uint32_t lower = dsp_lows(bytes0, bytes1), upper = dsp_highs(bytes0, bytes1);
                to[0] = dsp_even(lower);
                to[strip] = dsp_odd(lower);
                second[0] = dsp_even(upper);
                second[strip] = dsp_odd(upper);
            }
            word += (layer->points - point) / 2;
            point += (layer->points - point) / 2 * 2;
            if (word == words) {
                return;
            }
        }
        depthwise_3x3_place(to, strip, channels, depthwise_3x3_load(layer, line, point, channels),
                            depthwise_3x3_load(layer, line, point + 1, channels));
    }
}

/* A line of padding. */
DSP_INLINE void depthwise_3x3_pad(const depthwise_3x3_t *layer, uint32_t *to, int32_t words)
{
    const uint32_t padding = dsp_twice(layer->zero_point);
    for (int32_t word = 0; word < DEPTHWISE_3X3_CHANNELS * words; word++, to += 3) {
        *to = padding;
    }
}

/* stride: along the lines */
DSP_INLINE void depthwise_3x3_lines(const depthwise_3x3_t *layer, const int8_t *input, int8_t *output,
                                    uint32_t *strips, int32_t stride)
{
    const int32_t count = layer->made_points, words = (count + 1) / 2 * stride + 1;
    depthwise_3x3_line_t line = {
        .words = layer->words,
        .strip = strips,
        .step = layer->made_point_step,
        .span = count / 2 * 2 * layer->made_point_step,
        .strip_bytes = 12 * words,
        .odd = count % 2,
    };
    for (int32_t channel = 0; channel < layer->depth; channel += DEPTHWISE_3X3_CHANNELS) {
        int32_t left = layer->depth - channel, place = 0, lines = 0;
        int32_t skip = 3; /* lines until all that the next output reads are there */
        line.channels = left < DEPTHWISE_3X3_CHANNELS ? left : DEPTHWISE_3X3_CHANNELS;
        line.output = output + channel;
        for (int32_t next = -layer->lines_before; lines < layer->made_lines; next++) {
            if (next < 0 || next >= layer->lines) {
                depthwise_3x3_pad(layer, strips + place, words);
            } else {
                depthwise_3x3_widen(layer, strips + place, words, line.channels,
                                    input + next * layer->line_step + channel);
            }
            place = place == 2 ? 0 : place + 1;
            if (--skip == 0) {
                line.phase = place; /* the oldest */
                depthwise_3x3_run(&line, layer->keeps_negative, stride);
                line.output += layer->made_line_step;
                skip = layer->line_stride;
                lines++;
            }
        }
        line.words += 10 * DEPTHWISE_3X3_CHANNELS;
    }
}

/*
 * scratch, aligned to 4: 48 * (pairs + 1) bytes, of the pairs of outputs in a line. May work in place where
 * output and input have the same shape.
 */
KERNEL void depthwise_3x3(const depthwise_3x3_t *layer, const int8_t *input, int8_t *output, void *scratch)
{
    depthwise_3x3_lines(layer, input, output, scratch, 1);
}

/* Stride 2 along a line. scratch: 48 * (2 * pairs + 1) bytes */
KERNEL void depthwise_3x3_apart(const depthwise_3x3_t *layer, const int8_t *input, int8_t *output,
                                void *scratch)
{
    depthwise_3x3_lines(layer, input, output, scratch, 2);
}

#endif
