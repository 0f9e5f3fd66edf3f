#ifndef NN_FULLY_CONNECTED_INT16_H
#define NN_FULLY_CONNECTED_INT16_H

#include "nn/fully_connected.h"

/*
 * nn/fully_connected.h with weights of two bytes, outputs always in fours: twice the flash, a quarter fewer
 * instructions, and any weight.
 */
typedef fully_connected_t fully_connected_int16_t;

KERNEL void fully_connected_int16(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                  void *scratch)
{
    fully_connected_all(layer, input, output, scratch, FULLY_CONNECTED_ONCE, 2);
}

/* Any multiplier, zero point and clamp. */
KERNEL void fully_connected_int16_wide(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                       void *scratch)
{
    fully_connected_all(layer, input, output, scratch, FULLY_CONNECTED_WIDE, 2);
}

/* Where no multiplier puts every step at the right sum: the steps themselves. */
KERNEL void fully_connected_int16_steps(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                        void *scratch)
{
    fully_connected_all(layer, input, output, scratch, FULLY_CONNECTED_STEPS, 2);
}

/* TensorFlow Lite Micro's rounding, as convolutions have it. */
KERNEL void fully_connected_int16_twice(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                        void *scratch)
{
    fully_connected_all(layer, input, output, scratch, FULLY_CONNECTED_TWICE, 2);
}

/* The same in few instructions, where requantize_fast serves every output. */
KERNEL void fully_connected_int16_fast(const fully_connected_t *layer, const int8_t *input, int8_t *output,
                                       void *scratch)
{
    fully_connected_all(layer, input, output, scratch, FULLY_CONNECTED_FAST, 2);
}

#endif
