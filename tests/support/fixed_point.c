/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of firmware/nn/fixed_point.h of every int16. See test_fixed_point.py. */
#include "nn/fixed_point.h"

void every_logistic(int32_t *output);
void every_tanh(int32_t integer_bits, int32_t *output);

void every_logistic(int32_t *output)
{
    for (int32_t x = INT16_MIN; x <= INT16_MAX; x++) {
        *output++ = fixed_logistic(x);
    }
}

void every_tanh(int32_t integer_bits, int32_t *output)
{
    for (int32_t x = INT16_MIN; x <= INT16_MAX; x++) {
        *output++ = fixed_tanh(x, integer_bits);
    }
}
