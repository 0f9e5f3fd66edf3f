/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FULLY_CONNECTED_INT16_H
#define NN_FULLY_CONNECTED_INT16_H

#include "nn/fully_connected.h"

/*
 * nn/fully_connected.h with weights of two bytes, outputs always in fours: twice the flash, a quarter fewer
 * instructions, and any weight.
 */
typedef fully_connected_t fully_connected_int16_t;

FULLY_CONNECTED_KERNELS(fully_connected_int16, 2)

#endif
