/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LOOK_UP_16X8_H
#define NN_LOOK_UP_16X8_H

#include "dsp/dsp.h"
#include <stdint.h>

/* TFLite's table of a function of an int16: [513], with straight lines between its 512 steps. A line's rise
 * wraps to 16 bits, and so does what lies on it. value: -32768 .. 32767, from one end of the table to the
 * other
 */
DSP_INLINE int16_t look_up_16x8(const int16_t *table, int32_t value)
{
    const int16_t *step = table + 256 + (value >> 7);
    const int32_t rise = (int16_t)(step[1] - step[0]);
    return (int16_t)(step[0] + ((rise * (value & 127) + 64) >> 7));
}

#endif
