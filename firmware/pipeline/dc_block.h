/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_DC_BLOCK_H
#define PIPELINE_DC_BLOCK_H

#include "pipeline/window.h"

/* A window's intake that takes off the level a microphone adds: y = x - level, saturated, then level += (x -
 * level) / 2^dc_block; every quotient rounded down. A high-pass filter of the first order at sample rate / (2
 * pi 2^dc_block). */
void dc_block(const window_t *window, const int16_t *samples, size_t count, int16_t *out);

#endif
