/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DSP_PRODUCT_H
#define DSP_PRODUCT_H

#include "dsp/dsp.h"
#include <stdint.h>

/* round(a * b / 2^32), halves up. */
DSP_INLINE int32_t dsp_product_high(int32_t a, int32_t b)
{
#if DSP
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return dsp_multiply_high(a, b, 0);
#endif
}

#endif
