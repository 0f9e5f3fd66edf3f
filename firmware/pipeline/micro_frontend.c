/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/micro_frontend.h"
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "pipeline/micro_frontend_stages.h"

void micro_frontend_reset(const micro_frontend_t *frontend)
{
    memset(frontend->estimate, 0, frontend->filters * sizeof *frontend->estimate);
}

/* A pair of samples under its weights of at most 2^12, rounded down. */
static inline uint32_t weighted(uint32_t pair, uint32_t weights)
{
    return dsp_pair(dsp_low_low(pair, weights, 0) >> 12, dsp_high_high(pair, weights, 0) >> 12);
}

unsigned micro_frontend_window(const micro_frontend_t *frontend, const int16_t *samples, uint32_t *windowed)
{
    const int16_t *from = samples, *weights = frontend->weights;
    const uint32_t *end = windowed + frontend->fft / 2;
    uint32_t largest = 0; /* magnitude; -32768 counts as itself, which is never the largest */
    for (size_t done = 0; done < frontend->window; done += 4) { /* after the window the weights are 0 */
        uint32_t pair, next, weight, next_weight;
        from = dsp_load_two(from, &pair, &next);
        weights = dsp_load_two(weights, &weight, &next_weight);
        const uint32_t first = weighted(pair, weight), second = weighted(next, next_weight);
        windowed = dsp_store_two(windowed, first, second);
        largest = dsp_larger(dsp_larger(first, dsp_subtract(0, first)), largest);
        largest = dsp_larger(dsp_larger(second, dsp_subtract(0, second)), largest);
    }
    while (windowed < end)
        windowed = dsp_store_two(windowed, 0, 0);

    const int32_t low = dsp_low(largest), high = dsp_high(largest);
    const int32_t peak = low > high ? low : high;
    unsigned shift = 15;
    while (shift > 0 && peak >> (15 - shift) != 0)
        shift--;
    return shift;
}

void micro_frontend_frame(const micro_frontend_t *frontend, const int16_t *samples, int32_t *values)
{
    uint32_t *windowed = frontend->scratch;
    uint32_t *spectrum = windowed + frontend->fft / 2;
    uint32_t *signal = frontend->scratch; /* the window's samples are used up by then */
    const unsigned shift = micro_frontend_window(frontend, samples, windowed);
    micro_frontend_fft(frontend, windowed, shift, spectrum);
    micro_frontend_filters(frontend, spectrum, shift, signal);
    micro_frontend_reduce_noise(frontend, signal);
    if (frontend->gains != NULL)
        micro_frontend_control_gain(frontend, signal);
    micro_frontend_log(frontend, signal, values);
}
