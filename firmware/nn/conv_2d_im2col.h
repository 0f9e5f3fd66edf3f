#ifndef NN_CONV_2D_IM2COL_H
#define NN_CONV_2D_IM2COL_H

#include "nn/conv_2d.h"
#include <stdint.h>
#include <string.h>

/*
 * Convolution of any geometry: four windows at a time are gathered into consecutive bytes, where padding is
 * the input's zero point, then multiplied as in nn/conv_2d.h. For padding, dilated columns and rows too short
 * for four bytes.
 */
typedef struct {
    conv_2d_t conv;                      /* over gathered windows: one run, column_step = its length */
    int32_t rows, columns, depth;        /* of the input */
    int32_t kernel_rows, kernel_columns; /* taps */
    int32_t row_stride, column_stride;
    int32_t row_dilation, column_dilation;
    int32_t top, left;  /* padding */
    int32_t zero_point; /* of the input */
} conv_2d_im2col_t;

/* One window, whose first tap is at (row, column), which may lie outside the input. */
SIMD_INLINE void conv_2d_im2col_gather(const conv_2d_im2col_t *layer, const int8_t *input, int32_t row,
                                       int32_t column, int8_t *window)
{
    const int8_t *start = window;
    for (int32_t i = 0; i < layer->kernel_rows; i++, row += layer->row_dilation) {
        int32_t at = column;
        for (int32_t j = 0; j < layer->kernel_columns; j++, at += layer->column_dilation) {
            if (row >= 0 && row < layer->rows && at >= 0 && at < layer->columns) {
                const int8_t *from = input + (row * layer->columns + at) * layer->depth;
                for (int32_t k = 0; k < layer->depth; k++) {
                    *window++ = from[k];
                }
            } else {
                for (int32_t k = 0; k < layer->depth; k++) {
                    *window++ = (int8_t)layer->zero_point;
                }
            }
        }
    }
    while (window - start < layer->conv.window.length) {
        *window++ = 0; /* its weights are 0 */
    }
}

SIMD_INLINE void conv_2d_im2col_rows(const conv_2d_im2col_t *layer, const int8_t *input, int8_t *output,
                                     int8_t *scratch, int general)
{
    int32_t length = layer->conv.window.length, waiting = 0;
    for (int32_t i = 0; i < layer->conv.rows; i++) {
        for (int32_t j = 0; j < layer->conv.columns; j++) {
            conv_2d_im2col_gather(layer, input, i * layer->row_stride - layer->top,
                                  j * layer->column_stride - layer->left, scratch + waiting * length);
            if (++waiting == 4) {
                conv_2d_windows(&layer->conv, waiting, scratch, output, general);
                output += waiting * layer->conv.depth;
                waiting = 0;
            }
        }
    }
    conv_2d_windows(&layer->conv, waiting, scratch, output, general);
}

/* scratch: four windows of conv.window.length bytes. Where requantize_fast serves every channel. */
KERNEL void conv_2d_im2col(const conv_2d_im2col_t *layer, const int8_t *input, int8_t *output,
                           int8_t *scratch)
{
    conv_2d_im2col_rows(layer, input, output, scratch, 0);
}

/* Any multiplier and clamp. */
KERNEL void conv_2d_im2col_general(const conv_2d_im2col_t *layer, const int8_t *input, int8_t *output,
                                   int8_t *scratch)
{
    conv_2d_im2col_rows(layer, input, output, scratch, 1);
}

#endif
