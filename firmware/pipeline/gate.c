#include "pipeline/gate.h"
#include "pipeline/packed.h"

enum { THRESHOLD_MAX = 32767, WINDOWS_MAX = 64 };

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

static int32_t largest_magnitude(const int16_t *samples, size_t count)
{
    uint32_t smallest = 0, largest = 0;
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        const uint32_t pair = packed_load(samples + i);
        smallest = packed_smaller(smallest, pair);
        largest = packed_larger(largest, pair);
    }
    if (i < count) {
        const uint32_t last = packed_pair(samples[i], 0);
        smallest = packed_smaller(smallest, last);
        largest = packed_larger(largest, last);
    }
    return packed_magnitude(smallest, largest);
}

bool gate_step(const gate_t *gate, const int16_t *samples, size_t count)
{
    gate_state_t *state = gate->state;
    if (state->passed > 0) {
        state->passed--;
        return true;
    }
    if (!state->triggered) {
        if (largest_magnitude(samples, count) <= state->settings.threshold)
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

static bool set(int32_t *setting, int32_t value, int32_t most)
{
    if (value < 0 || value > most)
        return false;
    *setting = value;
    return true;
}

bool gate_set_threshold(const gate_t *gate, int32_t threshold)
{
    return set(&gate->state->settings.threshold, threshold, THRESHOLD_MAX);
}

bool gate_set_backoff(const gate_t *gate, int32_t backoff)
{
    return set(&gate->state->settings.backoff, backoff, WINDOWS_MAX);
}

bool gate_set_delay(const gate_t *gate, int32_t delay)
{
    return set(&gate->state->settings.delay, delay, WINDOWS_MAX);
}
