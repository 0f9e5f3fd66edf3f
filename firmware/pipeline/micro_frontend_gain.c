/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "dsp/root.h"
#include "pipeline/micro_frontend_stages.h"

enum {
    SHARE_BITS = 14, /* of the noise reduction's shares */
    LN_2 = 45426,    /* Q16 */
    SNR_BITS = 12,   /* of the ratio of signal to noise */
    OUTPUT_BITS = 6, /* of what PCAN leaves */
    LARGEST = 0xFFFF
};

/* The nearest square root; of values just below 2^32 the one below, 65535. */
static uint32_t square_root(uint64_t value)
{
    const uint32_t root = dsp_root(value);
    const uint64_t rest = value - (uint64_t)root * root;
    return root + (rest > root && root != 0xFFFF && root != 0xFFFFFFFFU);
}

/* A band's power falls from its filter's middle down to 0 at the next one's, whose power rises by what is
 * left. A bin's power is below 2^31: no half of the split is -32768. */
void micro_frontend_filters(const micro_frontend_t *frontend, const uint32_t *spectrum, unsigned shift,
                            uint32_t *signal)
{
    const uint32_t *bin = spectrum + frontend->first;
    const uint16_t *weight = frontend->bank;
    uint64_t rising = 0;
    for (size_t band = 0; band <= frontend->filters; band++) {
        uint64_t power = rising;
        rising = 0;
        for (size_t left = frontend->bands[band]; left > 0; left--, weight += 2) {
            const uint32_t energy = dsp_power(*bin++);
            power = dsp_accumulate(power, energy, weight[0]);
            rising = dsp_accumulate(rising, energy, weight[1]);
        }
        if (band > 0)
            signal[band - 1] = square_root(power) >> shift;
    }
}

void micro_frontend_reduce_noise(const micro_frontend_t *frontend, uint32_t *signal)
{
    const unsigned bits = frontend->smoothing_bits;
    for (size_t i = 0; i < frontend->filters; i++) {
        const uint32_t share = frontend->smoothing[i & 1];
        const uint32_t scaled = signal[i] << bits;
        const uint64_t sum = (uint64_t)scaled * share;
        uint32_t noise =
            (uint32_t)(dsp_accumulate(sum, frontend->estimate[i], (1U << SHARE_BITS) - share) >> SHARE_BITS);
        frontend->estimate[i] = noise;
        noise = noise < scaled ? noise : scaled;
        const uint32_t least = (uint32_t)((uint64_t)signal[i] * frontend->remaining >> SHARE_BITS);
        const uint32_t rest = (scaled - noise) >> bits;
        signal[i] = rest > least ? rest : least;
    }
}

/* (noise + offset)^-strength: for 0, 1 and 2 from the table; else a parabola between two powers of 2, whose
 * value at the lower one and two coefficients begin at 4 n - 6, n being the number of bits. */
static uint32_t gain(const int16_t *gains, uint32_t noise)
{
    if (noise <= 2)
        return (uint32_t)gains[noise];
    const unsigned bits = dsp_highest_bit(noise) + 1;
    const int16_t *parabola = gains + 4 * bits - 6;
    const int32_t x = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3FFU);
    const int32_t slope = (parabola[2] * x >> 5) + parabola[1] * 32;
    return (uint32_t)(int16_t)(((int32_t)((uint32_t)slope * (uint32_t)x + 0x4000U) >> 15) + parabola[0]);
}

void micro_frontend_control_gain(const micro_frontend_t *frontend, uint32_t *signal)
{
    for (size_t i = 0; i < frontend->filters; i++) {
        const uint64_t product = (uint64_t)signal[i] * gain(frontend->gains, frontend->estimate[i]);
        const uint32_t ratio = (uint32_t)(product >> frontend->gain_shift);
        if (ratio < 2U << SNR_BITS)
            signal[i] = ratio * ratio >> (2 + 2 * SNR_BITS - OUTPUT_BITS);
        else
            signal[i] = (ratio >> (SNR_BITS - OUTPUT_BITS)) - (1U << OUTPUT_BITS);
    }
}

/* 2^log_shift ln(value), value > 1. log2 is a straight line between two powers of 2, plus what it has above
 * that line at the start of one of 128 segments. Within a segment the difference to the next one is shifted
 * by 16, as the publisher does, where a straight line would need the 9 bits of the place in it: it adds -2 to
 * 1 at most. */
static uint32_t logarithm(const micro_frontend_t *frontend, uint32_t value)
{
    const unsigned whole = dsp_highest_bit(value);
    const uint32_t above = value - (1U << whole);
    const uint32_t fraction = whole < 16 ? above << (16 - whole) : above >> (whole - 16);
    const uint32_t segment = fraction >> 9;
    const int32_t step = frontend->log2[segment + 1] - frontend->log2[segment];
    const int32_t between = step * (int32_t)(fraction & 0x1FFU) >> 16;
    const uint32_t log2 = ((uint32_t)whole << 16) + fraction + frontend->log2[segment] + (uint32_t)between;
    const uint32_t ln = (uint32_t)(((uint64_t)LN_2 * log2 + 0x8000U) >> 16);
    return ((ln << frontend->log_shift) + 0x8000U) >> 16;
}

void micro_frontend_log(const micro_frontend_t *frontend, const uint32_t *signal, int32_t *values)
{
    for (size_t i = 0; i < frontend->filters; i++) {
        uint32_t value = signal[i];
        if (frontend->log) {
            value = frontend->correction < 0 ? value >> -frontend->correction : value << frontend->correction;
            value = value > 1 ? logarithm(frontend, value) : 0;
        }
        values[i] = (int32_t)(value < LARGEST ? value : LARGEST);
    }
}
