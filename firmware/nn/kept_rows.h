/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_KEPT_ROWS_H
#define NN_KEPT_ROWS_H

#include "dsp/dsp.h"
#include "dsp/memory.h"
#include <stdint.h>
#include <string.h>

/* Rows of a tensor that the next decision finds as they are, oldest first: for incremental inference of
 * models that pad or move by several rows along time. */

/* Copies `bytes` to where they lie elsewhere, or further down: 8 registers at a time where all is whole
 * words. */
KERNEL void kept_rows_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
    int32_t i = 0;
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0 && bytes >= 32) {
        i = bytes & -32;
        dsp_move_down((int16_t *)(void *)to, (const int16_t *)(const void *)from, i / 2);
    }
    for (; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < bytes; i++) {
        to[i] = from[i];
    }
}

/* The oldest `bytes` of `size` are dropped, and as many new ones join. */
KERNEL void kept_rows_add(int8_t *rows, int32_t size, const int8_t *from, int32_t bytes)
{
    kept_rows_copy(rows, rows + bytes, size - bytes);
    kept_rows_copy(rows + size - bytes, from, bytes);
}

#endif
