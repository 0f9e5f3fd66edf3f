/* SPDX-License-Identifier: Apache-2.0 */
/* Every line of the input, seven int32, through the requantisation of firmware/nn/requantize.h. See
 * test_quantize.py. */
#include "nn/requantize.h"
#include <stdio.h>

int main(void)
{
    int32_t in[7]; /* which, sum, multiplier, left, right, zero point, largest result */
    while (fread(in, sizeof in, 1, stdin) == 1) {
        int32_t half = in[4] > 0 && in[4] <= 21 ? 1 << (in[4] - 1) : 0;
        int32_t offset = in[4] <= 21 ? (int32_t)((uint32_t)in[5] << in[4]) + half : 0;
        requantize_t channel = {0, in[2], offset, (int16_t)(in[3] + 1), (int16_t)in[4]};
        requantize_wide_t wide = {in[2], 0, 31 + in[4] - in[3]};
        int32_t out;
        switch (in[0]) {
        case 0:
            out = requantize_multiply(in[1], in[2], in[3], in[4]);
            break;
        case 1:
            out = requantize_int8(in[1], &channel, in[5], -128, in[6]);
            break;
        case 2:
            out = requantize_fast(in[1], &channel);
            break;
        case 3:
            out = requantize_once(in[1], &channel);
            break;
        default:
            out = requantize_wide(in[1], &wide, in[5], -128, in[6]);
            break;
        }
        fwrite(&out, sizeof out, 1, stdout);
    }
    return 0;
}
