/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/gate.h"
#include "dsp/dsp.h"
#include "dsp/memory.h"

enum { THRESHOLD_MAX = 32767, BACKOFF_MAX = 1000, DELAY_MAX = 64 };

void gate_reset(const gate_t *gate)
{
    const gate_settings_t settings = gate->state->settings;
    *gate->state = (gate_state_t){.settings = settings};
}

void gate_restore(const gate_t *gate)
{
    gate->state->settings = gate->initial;
    gate_reset(gate);
}

/* Any |sample| > threshold: sample + threshold, taken without a sign, exceeds 2 threshold; -32768 counts as
 * 32768. */
static bool exceeds(const int16_t *samples, size_t count, int32_t threshold)
{
    const uint32_t offset = dsp_pair(threshold, threshold), most = 2 * offset;
    uint32_t beyond = 0;
    for (; count >= 8; count -= 8) {
        uint32_t a, b, c, d;
        samples = dsp_load_two(dsp_load_two(samples, &a, &b), &c, &d);
        beyond |= dsp_excess(dsp_add(a, offset), most) | dsp_excess(dsp_add(b, offset), most);
        beyond |= dsp_excess(dsp_add(c, offset), most) | dsp_excess(dsp_add(d, offset), most);
    }
    for (; count > 0; count--, samples++)
        beyond |= dsp_excess(dsp_add(dsp_pair(samples[0], 0), offset), most);
    return beyond != 0;
}

bool gate_step(const gate_t *gate, const int16_t *samples, size_t count)
{
    gate_state_t *state = gate->state;
    if (state->passed > 0) {
        state->passed--;
        return true;
    }
    if (!state->triggered) {
        if (state->settings.threshold >= 0 && !exceeds(samples, count, state->settings.threshold))
            return false;
        state->triggered = true;
        state->held = 0;
    }
    if (state->held < (uint32_t)state->settings.delay) {
        state->held++;
        return false;
    }
    state->triggered = false;
    state->passed = (uint32_t)state->settings.backoff;
    return true;
}

static bool set(int32_t *setting, int32_t value, int32_t least, int32_t most)
{
    if (value < least || value > most)
        return false;
    *setting = value;
    return true;
}

bool gate_set_threshold(const gate_t *gate, int32_t threshold)
{
    return set(&gate->state->settings.threshold, threshold, -1, THRESHOLD_MAX);
}

bool gate_set_backoff(const gate_t *gate, int32_t backoff)
{
    return set(&gate->state->settings.backoff, backoff, 0, BACKOFF_MAX);
}

bool gate_set_delay(const gate_t *gate, int32_t delay)
{
    return set(&gate->state->settings.delay, delay, 0, DELAY_MAX);
}
