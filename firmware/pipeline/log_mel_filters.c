/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/log_mel_stages.h"

enum { LOG_BITS = 20 }; /* of a logarithm to the base 2, after its point */

/* mantissa 2^exponent; the mantissa has its bit 31 set, or is 0. */
typedef struct {
    uint32_t mantissa;
    int32_t exponent;
} number_t;

static number_t number(uint64_t value, int32_t exponent)
{
    if (value == 0)
        return (number_t){0, exponent};
    const unsigned bit = log_mel_highest_bit(value);
    const uint64_t top = bit < 31 ? value << (31 - bit) : value >> (bit - 31);
    return (number_t){(uint32_t)top, exponent + (int32_t)bit - 31};
}

/* Bins times weights, in two halves: a bin is below 2^62 and has its low 32 bits in one sum, the others in
 * the other, so that 2048 products of 2^16 stay below 2^64. */
static number_t weigh(const log_mel_pair_t *bin, const uint16_t *weight, size_t count)
{
    uint64_t low = 0, high = 0;
    for (; count > 1; count -= 2, bin += 2, weight += 2) {
        const uint64_t first = dsp_get_wide(&bin[0]), second = dsp_get_wide(&bin[1]);
        low = dsp_accumulate(low, (uint32_t)first, weight[0]);
        high = dsp_accumulate(high, (uint32_t)(first >> 32), weight[0]);
        low = dsp_accumulate(low, (uint32_t)second, weight[1]);
        high = dsp_accumulate(high, (uint32_t)(second >> 32), weight[1]);
    }
    if (count != 0) {
        const uint64_t last = dsp_get_wide(bin);
        low = dsp_accumulate(low, (uint32_t)last, *weight);
        high = dsp_accumulate(high, (uint32_t)(last >> 32), *weight);
    }
    high += low >> 32;
    return high >> 32 != 0 ? number(high, 32) : number(high << 32 | (low & UINT32_MAX), 0);
}

static number_t sum(number_t a, number_t b)
{
    if (a.mantissa == 0 || (b.mantissa != 0 && b.exponent > a.exponent)) {
        const number_t larger = b;
        b = a;
        a = larger;
    }
    const int32_t apart = a.exponent - b.exponent;
    if (b.mantissa == 0 || apart > 31)
        return a;
    return number((uint64_t)a.mantissa + (b.mantissa >> apart), a.exponent);
}

/* To the base 2: between two of 128 points a straight line, at most 2^-16 below. */
static int32_t logarithm(const log_mel_t *mel, number_t value)
{
    const uint32_t fraction = value.mantissa & 0x7FFFFFFFU, place = fraction >> 24;
    const int32_t from = mel->log2[place], step = mel->log2[place + 1] - from;
    const int32_t between = (int32_t)((int64_t)step * (fraction & 0xFFFFFFU) >> 24);
    return (value.exponent + 31) * (1 << LOG_BITS) + from + between;
}

void log_mel_filters(const log_mel_t *mel, const log_mel_pair_t *bins, int shift, int32_t *values)
{
    const uint16_t *weight = mel->mel;
    const int32_t normal = mel->magnitude ? -shift : -2 * shift;
    for (size_t i = 0; i < mel->filters; i++) {
        const log_mel_filter_t *filter = &mel->bank[i];
        number_t energy = weigh(bins + filter->first, weight, filter->count);
        weight += filter->count;
        energy.exponent += normal;
        if (mel->addends != NULL)
            energy = sum(energy, (number_t){mel->addends[i].mantissa, mel->addends[i].exponent});
        int32_t value = mel->floor;
        if (energy.mantissa != 0) {
            value = logarithm(mel, energy) + filter->unit;
            value = value > mel->floor ? value : mel->floor;
        }
        values[i] = (int32_t)(((int64_t)value * mel->unit + (1 << 27)) >> 28);
    }
}
