/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CONV_2D_16X8_H
#define NN_CONV_2D_16X8_H

#include "nn/dot_16x8.h"
#include "nn/requantize_16x8.h"
#include "nn/widen.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Convolution of any geometry, 16-bit activations, 8-bit weights. The taps of three positions at a time are
 * gathered, zeros where a window leaves the input, and meet the weights of two channels at a time
 * (nn/dot_16x8.h). Layout: rows, columns, channels.
 */
typedef struct {
    int32_t rows, columns, depth;                 /* of the input */
    int32_t out_rows, out_columns, channel_count; /* of the output */
    int32_t kernel_rows, kernel_columns;
    int32_t row_stride, column_stride, row_dilation, column_dilation;
    int32_t top, left; /* padding */
    int32_t steps;     /* taps of a position / 4, rounded up */
    int32_t line;      /* values of a row of the kernel, and one that makes them even */
    const uint32_t
        *weights; /* of each pair of channels 2 * steps words; an odd last channel has a pair, too */
    const requantize_t *channels;  /* not for conv_2d_16x8_wide */
    const requantize_16x8_t *wide; /* for that one */
    int32_t low, high;             /* clamp */
} conv_2d_16x8_t;

typedef enum { CONV_2D_16X8_NARROW, CONV_2D_16X8_WIDE, CONV_2D_16X8_TWICE } conv_2d_16x8_form_t;

#define CONV_2D_16X8_RUN 16 /* values from which on a call pays */

/* `count` values, or zeros where `from` is NULL. Returns the place after. */
DSP_INLINE int16_t *conv_2d_16x8_copy(int16_t *to, const int16_t *from, int32_t count)
{
    int16_t *const end = to + count;
    if (count >= CONV_2D_16X8_RUN) {
        if (from != NULL) {
            memcpy(to, from, 2 * (size_t)count);
        } else {
            memset(to, 0, 2 * (size_t)count);
        }
        return end;
    }
    while (to < end) {
        *to++ = from != NULL ? *from++ : 0;
    }
    return end;
}

/* Values of one row of the kernel; those left and right of the input are 0. Returns the place after. */
DSP_INLINE int16_t *conv_2d_16x8_row(const conv_2d_16x8_t *layer, const int16_t *row, int32_t column,
                                     int16_t *to)
{
    const int32_t depth = layer->depth, count = layer->kernel_columns, dilation = layer->column_dilation;
    if (dilation == 1) { /* what lies in the input is one run */
        const int32_t start = requantize_clamp(-column, 0, count);
        const int32_t end = requantize_clamp(layer->columns - column, start, count);
        to = conv_2d_16x8_copy(to, NULL, start * depth);
        to = conv_2d_16x8_copy(to, row + (column + start) * depth, (end - start) * depth);
        return conv_2d_16x8_copy(to, NULL, layer->line - end * depth);
    }
    for (int32_t i = 0; i < count; i++, column += dilation) {
        const int inside = column >= 0 && column < layer->columns;
        to = conv_2d_16x8_copy(to, inside ? row + column * depth : NULL, depth);
    }
    return conv_2d_16x8_copy(to, NULL, layer->line - count * depth);
}

/* The taps of one position, and zeros up to a whole step. */
DSP_INLINE void conv_2d_16x8_gather(const conv_2d_16x8_t *layer, const int16_t *input, int32_t row,
                                    int32_t column, int16_t *to)
{
    const int16_t *const end = to + 4 * layer->steps;
    for (int32_t i = 0; i < layer->kernel_rows; i++, row += layer->row_dilation) {
        if (row >= 0 && row < layer->rows) {
            to = conv_2d_16x8_row(layer, input + row * layer->columns * layer->depth, column, to);
        } else {
            to = conv_2d_16x8_copy(to, NULL, layer->line);
        }
    }
    conv_2d_16x8_copy(to, NULL, (int32_t)(end - to));
}

/* No window that begins at these columns of the input leaves them, nor does the value that makes a row even.
 */
DSP_INLINE int conv_2d_16x8_is_inside(const conv_2d_16x8_t *layer, int32_t first, int32_t last)
{
    const int32_t values = (last * layer->depth) + layer->line;
    return layer->column_dilation == 1 && first >= 0 && values <= layer->columns * layer->depth;
}

/* The same into a block, as the position there that `to` is of: its words are three apart. */
DSP_INLINE void conv_2d_16x8_place(const conv_2d_16x8_t *layer, const int16_t *input, int32_t row,
                                   int32_t column, uint32_t *to, int16_t *taps)
{
    const int32_t line = layer->line;
    const uint32_t *const end = to + 6 * layer->steps;
    if (!conv_2d_16x8_is_inside(layer, column, column)) {
        conv_2d_16x8_gather(layer, input, row, column, taps);
        widen_place_one(to, taps, 4 * layer->steps);
        return;
    }
    const int16_t *from = input + (row * layer->columns + column) * layer->depth;
    for (int32_t i = layer->kernel_rows; i > 0; i--, row += layer->row_dilation) {
        if (row >= 0 && row < layer->rows) {
            to = widen_place_one(to, from, line);
        } else {
            for (int32_t j = 0; j < line; j += 2, to += 3) {
                *to = 0;
            }
        }
        from += layer->row_dilation * layer->columns * layer->depth;
    }
    for (; to < end; to += 3) {
        *to = 0;
    }
}

/* The same of three positions side by side, where no window leaves the columns of the input. */
DSP_INLINE void conv_2d_16x8_place_three(const conv_2d_16x8_t *layer, const int16_t *input, int32_t row,
                                         int32_t column, uint32_t *to)
{
    const int32_t line = layer->line, step = layer->column_stride * layer->depth;
    const uint32_t *const end = to + 6 * layer->steps;
    const int16_t *from = input + (row * layer->columns + column) * layer->depth;
    for (int32_t i = layer->kernel_rows; i > 0; i--, row += layer->row_dilation) {
        if (row >= 0 && row < layer->rows) {
            to = widen_place_three_anywhere(to, from, step, line);
        } else {
            memset(to, 0, 6 * (size_t)line);
            to += 3 * line / 2;
        }
        from += layer->row_dilation * layer->columns * layer->depth;
    }
    while (to != end) {
        *to++ = 0;
    }
}

/* plain: outputs are clamped by their type, or at 0 */
DSP_INLINE int16_t conv_2d_16x8_output(const conv_2d_16x8_t *layer, const requantize_t *channel, int32_t sum,
                                       conv_2d_16x8_form_t form, int plain)
{
    int32_t value =
        form == CONV_2D_16X8_TWICE ? requantize_twice(sum, channel) : requantize_narrow(sum, channel);
    return plain ? requantize_int16(value, layer->low == 0 ? 0 : -1)
                 : (int16_t)requantize_clamp(value, layer->low, layer->high);
}

/* One channel at the first `count` of three positions. */
DSP_INLINE void conv_2d_16x8_channel(const conv_2d_16x8_t *layer, requantize_t channel, const int32_t sums[3],
                                     int16_t *output, int32_t count, conv_2d_16x8_form_t form, int plain)
{
    const int32_t a = sums[0], b = sums[1], c = sums[2], step = layer->channel_count;
    output[0] = conv_2d_16x8_output(layer, &channel, a, form, plain);
    if (count > 1) {
        output[step] = conv_2d_16x8_output(layer, &channel, b, form, plain);
    }
    if (count > 2) {
        output[2 * step] = conv_2d_16x8_output(layer, &channel, c, form, plain);
    }
}

/* All channels at the first `count` of the three positions of a block. */
DSP_INLINE void conv_2d_16x8_channels(const conv_2d_16x8_t *layer, const uint32_t *block, int16_t *output,
                                      int32_t count, conv_2d_16x8_form_t form, int plain)
{
    const uint32_t *weights = layer->weights;
    const requantize_t *channel = layer->channels;
    for (int32_t left = layer->channel_count; left > 0; left -= 2, channel += 2, output += 2) {
        const int32_t a = channel[0].bias, b = channel[1].bias;
        int32_t sums[6] = {a, a, a, b, b, b};
        dot_16x8_three(weights, block, sums, layer->steps);
        weights += 2 * layer->steps;
        conv_2d_16x8_channel(layer, channel[0], sums, output, count, form, plain);
        if (left > 1) {
            conv_2d_16x8_channel(layer, channel[1], sums + 3, output + 1, count, form, plain);
        }
    }
}

DSP_INLINE void conv_2d_16x8_three(const conv_2d_16x8_t *layer, const uint32_t *block, int16_t *output,
                                   int32_t count, conv_2d_16x8_form_t form)
{
    if (count == 3 && layer->high == INT16_MAX && (layer->low == 0 || layer->low == INT16_MIN)) {
        conv_2d_16x8_channels(layer, block, output, 3, form, 1);
    } else {
        conv_2d_16x8_channels(layer, block, output, count, form, 0);
    }
}

/* All channels at one position, whose sums have 64 bits. */
DSP_INLINE void conv_2d_16x8_one(const conv_2d_16x8_t *layer, const int16_t *taps, int16_t *output)
{
    const uint32_t *weights = layer->weights;
    for (int32_t i = 0; i < layer->channel_count; i += 2, weights += 2 * layer->steps) {
        const requantize_16x8_t *scaling = &layer->wide[i];
        int64_t sums[2] = {scaling[0].bias, scaling[1].bias};
        dot_16x8_wide(weights, taps, layer->steps, sums);
        for (int32_t j = 0; j < 2 && i + j < layer->channel_count; j++) {
            const int32_t value = requantize_reduced(sums[j], &scaling[j]);
            output[i + j] = (int16_t)requantize_clamp(value, layer->low, layer->high);
        }
    }
}

/* Where the window of an output begins, in rows and columns of the input. */
typedef struct {
    int32_t row, column, left; /* left: outputs of this row of the output, with this one */
} conv_2d_16x8_window_t;

DSP_INLINE void conv_2d_16x8_next(const conv_2d_16x8_t *layer, conv_2d_16x8_window_t *window, int32_t count)
{
    window->left -= count;
    window->column += count * layer->column_stride;
    if (window->left == 0) {
        window->left = layer->out_columns;
        window->column = -layer->left;
        window->row += layer->row_stride;
    }
}

/* The taps of the next `count` positions, to a block. */
DSP_INLINE void conv_2d_16x8_fill(const conv_2d_16x8_t *layer, const int16_t *input,
                                  conv_2d_16x8_window_t *window, int32_t count, uint32_t *block)
{
    const int32_t last = window->column + 2 * layer->column_stride;
    if (window->left >= 3 && conv_2d_16x8_is_inside(layer, window->column, last)) {
        conv_2d_16x8_place_three(layer, input, window->row, window->column, block);
        conv_2d_16x8_next(layer, window, 3);
        return;
    }
    int16_t *taps = (int16_t *)(block + 6 * layer->steps);
    for (int32_t i = 0; i < count; i++) {
        conv_2d_16x8_place(layer, input, window->row, window->column, block + i, taps);
        conv_2d_16x8_next(layer, window, 1);
    }
}

DSP_INLINE void conv_2d_16x8_all(const conv_2d_16x8_t *layer, const int16_t *input, int16_t *output,
                                 void *scratch, conv_2d_16x8_form_t form)
{
    conv_2d_16x8_window_t window = {-layer->top, -layer->left, layer->out_columns};
    const int32_t at_once = form == CONV_2D_16X8_WIDE ? 1 : 3;
    for (int32_t left = layer->out_rows * layer->out_columns; left > 0; left -= at_once) {
        const int32_t count = left < at_once ? left : at_once;
        if (form == CONV_2D_16X8_WIDE) {
            conv_2d_16x8_gather(layer, input, window.row, window.column, scratch);
            conv_2d_16x8_next(layer, &window, 1);
            conv_2d_16x8_one(layer, scratch, output);
        } else {
            conv_2d_16x8_fill(layer, input, &window, count, scratch);
            conv_2d_16x8_three(layer, scratch, output, count, form);
        }
        output += count * layer->channel_count;
    }
}

/*
 * By how sums become outputs (nn/requantize_16x8.h): reduced; the same of sums of 64 bits; twice.
 * input, output: int16, aligned to 2; scratch, aligned to 4: 32 * steps bytes
 */
KERNEL void conv_2d_16x8(const conv_2d_16x8_t *layer, const void *input, void *output, void *scratch)
{
    conv_2d_16x8_all(layer, input, output, scratch, CONV_2D_16X8_NARROW);
}

KERNEL void conv_2d_16x8_wide(const conv_2d_16x8_t *layer, const void *input, void *output, void *scratch)
{
    conv_2d_16x8_all(layer, input, output, scratch, CONV_2D_16X8_WIDE);
}

KERNEL void conv_2d_16x8_twice(const conv_2d_16x8_t *layer, const void *input, void *output, void *scratch)
{
    conv_2d_16x8_all(layer, input, output, scratch, CONV_2D_16X8_TWICE);
}

#endif
