/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SELECT_H
#define NN_SELECT_H

#include "dsp/dsp.h"
#include <stdint.h>

#define SELECT_RANK 5

/* Elements of a where a condition is 1, of b where it is 0. The output is written in order: loops from the
 * outermost in. A step of 0 repeats. */
typedef struct {
    int32_t size[SELECT_RANK];
    int32_t step[3][SELECT_RANK]; /* of the condition, a and b */
} select_t;

/* May work in place of an operand of the output's shape. */
KERNEL void select_each(const select_t *layer, const int8_t *condition, const int8_t *a, const int8_t *b,
                        int8_t *output)
{
    const int32_t last = SELECT_RANK - 1;
    int32_t index[SELECT_RANK] = {0}, axis;
    do {
        for (int32_t i = 0; i < layer->size[last]; i++) {
            *output++ = condition[i * layer->step[0][last]] ? a[i * layer->step[1][last]]
                                                            : b[i * layer->step[2][last]];
        }
        for (axis = last - 1; axis >= 0; axis--) {
            condition += layer->step[0][axis];
            a += layer->step[1][axis];
            b += layer->step[2][axis];
            if (++index[axis] < layer->size[axis]) {
                break;
            }
            index[axis] = 0;
            condition -= layer->size[axis] * layer->step[0][axis];
            a -= layer->size[axis] * layer->step[1][axis];
            b -= layer->size[axis] * layer->step[2][axis];
        }
    } while (axis >= 0);
}

#endif
