/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_DEPTHWISE_LINES_H
#define NN_DEPTHWISE_LINES_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>

/*
 * A convolution of each channel with its own taps: any kernel, padding and stride, and dilations along an
 * axis of stride 1. At least four channels.
 *
 * The picture is walked line by line, along rows or along columns. Four channels at a time, as many lines as
 * the kernel has are kept widened to int16, two neighbours a word: P = (x0 x1) (x2 x3) ... With the taps of a
 * line as A = (w0 w1) (w2 w3) ... and C = (0 w0) (w1 w2) ... four neighbouring outputs are
 *     sum of A[j] . P[j]    C[j] . P[j]    A[j] . P[j + 1]    C[j] . P[j + 1]
 * Padding is the input's zero point, which is folded into the biases. A new line takes the place of the
 * oldest.
 *
 * A stride along the line parts line and taps into as many runs: of every second point, and of the others,
 * each with every second tap. A dilation parts the picture into as many pictures, which have no point in
 * common.
 *
 * The words of four channels are those of nn/depthwise_window.h, the weights run by run.
 */
typedef struct {
    const uint32_t *words;
    int32_t block; /* words of four channels */
    int32_t depth;
    int32_t lines, points;         /* of the input: lines, and values of a channel in one */
    int32_t line_step, point_step; /* bytes */
    int32_t made_lines, made_points;
    int32_t made_line_step, made_point_step;
    int32_t made_step, made_first; /* bytes between channels of the output, and before the first */
    int32_t line_taps, taps;       /* lines of the kernel, and taps in one */
    int32_t line_stride, stride;
    int32_t line_dilation, dilation;
    int32_t lines_before, points_before; /* padding */
    int32_t zero_point;                  /* of the input */
    int32_t steps;                       /* pairs of words A, C of a run */
    int32_t pitch;                       /* words of a run of a line */
} depthwise_lines_t;

/* Four channels in one line of the output. */
typedef struct {
    const uint32_t *start;   /* the first channel's run that the first taps read */
    const uint32_t *weights; /* the first channel's A, C; eight words from one pair to the next */
    int32_t run_bytes;       /* of a run's weights */
    int32_t steps;
    int8_t *output;
    int32_t step;             /* bytes from one output to the next */
    int32_t span;             /* bytes of all whole fours of outputs */
    int32_t rest;             /* outputs after them */
    const uint32_t *finish;   /* the first channel's bias, multiplier, add, shift */
    const uint32_t *ring_end; /* the end of its runs, where they begin anew */
    int32_t ring_bytes;       /* of a channel's runs */
    int32_t hop;              /* bytes from the end of what four outputs read in a run to the next run */
    int32_t channel_step;     /* bytes of the output */
    int32_t all_bytes;        /* of all runs' weights */
} depthwise_lines_four_t;

#if DSP
#include "nn/depthwise_lines_dsp.h"
#else

DSP_INLINE void depthwise_lines_run(const depthwise_lines_four_t *line)
{
    const int32_t fours = line->step == 0 ? 0 : line->span / (4 * line->step);
    for (int32_t channel = 0; channel < 4; channel++) {
        const uint32_t *finish = line->finish + 4 * channel;
        const uint32_t *end = line->ring_end + channel * (line->ring_bytes / 4);
        int8_t *output = line->output + channel * line->channel_step;
        for (int32_t point = 0; point < 4 * fours + line->rest; point++, output += line->step) {
            int32_t sum = (int32_t)finish[0];
            const uint32_t *from = line->start + channel * (line->ring_bytes / 4) + point / 4 * 2;
            const uint32_t *weights = line->weights + 2 * channel + point % 2;
            for (int32_t run = 0; run < line->all_bytes / line->run_bytes; run++) {
                from = from >= end ? from - line->ring_bytes / 4 : from;
                for (int32_t j = 0; j < line->steps; j++, weights += 8) {
                    sum = dsp_dot(*weights, from[j + point % 4 / 2], sum);
                }
                from += line->steps + line->hop / 4;
            }
            const int32_t add = (int32_t)finish[2] + (sum >> 31);
            *output = dsp_saturate(dsp_multiply_high(sum, (int32_t)finish[1], add) >> finish[3]);
        }
    }
}

#endif

/* Points of a line at equal distances. */
typedef struct {
    int32_t before; /* of them in the padding in front */
    int32_t inside;
    int32_t first; /* that is inside, in points of the line */
} depthwise_lines_points_t;

/* The points first, first + step, ... of `size`. */
DSP_INLINE depthwise_lines_points_t depthwise_lines_points(int32_t first, int32_t step, int32_t size)
{
    depthwise_lines_points_t points = {.before = first < 0 ? (step - 1 - first) / step : 0};
    points.first = first + points.before * step;
    points.inside = points.first < size ? (size - 1 - points.first) / step + 1 : 0;
    return points;
}

/* A word of each channel's run: the bytes of four channels at two neighbouring points. */
DSP_INLINE void depthwise_lines_place(uint32_t *to, int32_t ring, uint32_t first, uint32_t second)
{
    uint32_t lower = dsp_lows(first, second), upper = dsp_highs(first, second);
    uint32_t *higher = to + 2 * ring;
    to[0] = dsp_even(lower);
    to[ring] = dsp_odd(lower);
    higher[0] = dsp_even(upper);
    higher[ring] = dsp_odd(upper);
}

/* A point of a run, counted from the padding's first. from: the first that is inside; step: in bytes */
DSP_INLINE uint32_t depthwise_lines_load(const depthwise_lines_points_t *points, const int8_t *from,
                                         int32_t step, int32_t point, uint32_t padding)
{
    point -= points->before;
    return point < 0 || point >= points->inside ? padding : dsp_load_bytes(from + point * step);
}

/* `words` words of a run, in each channel's ring of `ring` words. */
DSP_INLINE void depthwise_lines_widen(const depthwise_lines_points_t *points, const int8_t *from,
                                      int32_t step, uint32_t padding, uint32_t *to, int32_t ring,
                                      int32_t words)
{
    int32_t whole = (points->before + points->inside) / 2; /* words that need no padding behind */
    whole = whole > words ? words : whole;
    for (int32_t word = 0; word < words; word++) {
        if (2 * word >= points->before && word < whole) {
            const int8_t *next = from + (2 * word - points->before) * step;
            for (; word < whole; word++, next += 2 * step) {
                depthwise_lines_place(to++, ring, dsp_load_bytes(next), dsp_load_bytes(next + step));
            }
            if (word == words) {
                return;
            }
        }
        depthwise_lines_place(to++, ring, depthwise_lines_load(points, from, step, 2 * word, padding),
                              depthwise_lines_load(points, from, step, 2 * word + 1, padding));
    }
}

/* A, C of a channel from its bytes at two taps, twice their values; `before`: the A before it. */
DSP_INLINE void depthwise_lines_pair(uint32_t *to, uint32_t a, uint32_t *before)
{
    to[0] = a;
    to[1] = dsp_pair(dsp_high(*before), (int32_t)a);
    *before = a;
}

/* The weights of a run of `taps` taps, widened to `steps` pairs. Returns the word after those that it reads.
 */
DSP_INLINE const uint32_t *depthwise_lines_weights(uint32_t *to, const uint32_t *words, int32_t taps,
                                                   int32_t steps)
{
    uint32_t before[4] = {0, 0, 0, 0};
    for (int32_t step = 0; step < steps; step++, to += 8) {
        uint32_t lower = 0, upper = 0;
        if (2 * step + 1 < taps) {
            lower = words[0];
            upper = words[1];
            words += 2;
        } else if (2 * step < taps) { /* a last, odd one */
            lower = *words & 0xFFFFU;
            upper = *words++ >> 16;
        }
        depthwise_lines_pair(to, dsp_add_even(dsp_even(lower), lower), before);
        depthwise_lines_pair(to + 2, dsp_add_odd(dsp_odd(lower), lower), before + 1);
        depthwise_lines_pair(to + 4, dsp_add_even(dsp_even(upper), upper), before + 2);
        depthwise_lines_pair(to + 6, dsp_add_odd(dsp_odd(upper), upper), before + 3);
    }
    return words;
}

/* One of the pictures into which dilations part the layer's, by its first line and point of the output. */
DSP_INLINE void depthwise_lines_picture(const depthwise_lines_t *layer, const int8_t *input, int8_t *output,
                                        depthwise_lines_four_t *line, uint32_t *strips, int32_t first_line,
                                        int32_t first_point)
{
    const int32_t step = layer->stride * layer->dilation; /* of the points of a run */
    const int32_t count = (layer->made_points - first_point + layer->dilation - 1) / layer->dilation;
    const int32_t held = layer->line_taps * layer->stride, ring = held * layer->pitch;
    int32_t left = (layer->made_lines - first_line + layer->line_dilation - 1) / layer->line_dilation;
    int32_t place = 0, skip = layer->line_taps; /* lines until all that the next output reads are there */
    line->step = layer->made_point_step * layer->dilation;
    line->span = count / 4 * 4 * line->step;
    line->rest = count % 4;
    line->output = output + first_line * layer->made_line_step + first_point * layer->made_point_step;
    for (int32_t next = first_line - layer->lines_before; left > 0; next += layer->line_dilation) {
        for (int32_t run = 0; run < layer->stride && skip <= layer->line_taps; run++, place++) {
            depthwise_lines_points_t points =
                depthwise_lines_points(first_point + run - layer->points_before, step, layer->points);
            const int8_t *from = input;
            if (next < 0 || next >= layer->lines) {
                points.inside = 0;
            } else if (points.inside > 0) {
                from += next * layer->line_step + points.first * layer->point_step;
            }
            depthwise_lines_widen(&points, from, step * layer->point_step, dsp_four_times(layer->zero_point),
                                  strips + place * layer->pitch, ring, layer->pitch);
        }
        place = place == held ? 0 : place;
        if (--skip == 0) {
            line->start = strips + place * layer->pitch; /* the oldest */
            depthwise_lines_run(line);
            line->output += layer->made_line_step * layer->line_dilation;
            skip = layer->line_stride;
            left--;
        }
    }
}

/* scratch, aligned to 4: what four channels finish with, their weights, their lines */
KERNEL void depthwise_lines(const depthwise_lines_t *layer, const int8_t *input, int8_t *output,
                            void *scratch)
{
    const int32_t runs = layer->line_taps * layer->stride, size = 8 * layer->steps;
    uint32_t *finish = scratch, *weights = finish + 16, *strips = weights + runs * size;
    depthwise_lines_four_t line = {
        .weights = weights,
        .run_bytes = 4 * size,
        .steps = layer->steps,
        .finish = finish,
        .ring_end = strips + runs * layer->pitch,
        .ring_bytes = 4 * runs * layer->pitch,
        .hop = 4 * (layer->pitch - layer->steps),
        .channel_step = layer->made_step,
        .all_bytes = 4 * runs * size,
    };
    const uint32_t *block = layer->words;
    for (int32_t channel = 0; channel < layer->depth; channel += 4, block += layer->block) {
        channel = channel > layer->depth - 4 ? layer->depth - 4 : channel;
        const uint32_t *words = block + 4;
        for (int32_t run = 0; run < runs; run++) {
            const int32_t first = run % layer->stride; /* tap */
            words = depthwise_lines_weights(weights + run * size, words,
                                            (layer->taps - first + layer->stride - 1) / layer->stride,
                                            layer->steps);
        }
        for (int32_t k = 0; k < 4; k++, words += 3) {
            finish[4 * k] = 2 * block[k];
            finish[4 * k + 1] = words[0] >> 1;
            finish[4 * k + 2] = words[1];
            finish[4 * k + 3] = words[2];
        }
        for (int32_t i = 0; i < layer->line_dilation; i++) {
            for (int32_t j = 0; j < layer->dilation; j++) {
                depthwise_lines_picture(layer, input + channel,
                                        output + layer->made_first + channel * layer->made_step, &line,
                                        strips, i, j);
            }
        }
    }
}

#endif
