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

/* sum - a * b / 2^32, rounded, halves up. */
DSP_INLINE int32_t dsp_product_off(int32_t a, int32_t b, int32_t sum)
{
#if DSP
    int32_t result;
    __asm__("smmlsr %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const uint32_t high = (uint32_t)((-((int64_t)a * b) + ((int64_t)1 << 31)) >> 32);
    return (int32_t)((uint32_t)sum + high);
#endif
}

/* a * b / 2^16, rounded down. */
DSP_INLINE int32_t dsp_product_wide(int32_t a, int16_t b)
{
#if DSP
    int32_t result;
    __asm__("smulwb %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return (int32_t)((int64_t)a * b >> 16);
#endif
}

/* round(a / 2^shift), halves up, of shifts from 1 to 31; its low 32 bits. */
DSP_INLINE int32_t dsp_shifted(int64_t a, int32_t shift)
{
    uint32_t low = (uint32_t)a;
    const uint32_t high = (uint32_t)((uint64_t)a >> 32) << (32 - shift);
#if DSP
    __asm__("lsrs %0, %0, %2 \n" /* the last bit that it drops is the carry */
            "adc  %0, %0, %1 \n"
            : "+r"(low)
            : "r"(high), "r"(shift)
            : "cc");
    return (int32_t)low;
#else
    return (int32_t)((low >> shift) + high + (low >> (shift - 1) & 1));
#endif
}

#endif
