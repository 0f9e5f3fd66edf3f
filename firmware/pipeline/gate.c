#include "pipeline/gate.h"

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

static bool loud(int32_t threshold, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] > threshold || samples[i] < -threshold)
            return true;
    return false;
}

bool gate_step(const gate_t *gate, const int16_t *samples, size_t count)
{
    gate_state_t *state = gate->state;
    if (state->passed > 0) {
        state->passed--;
        return true;
    }
    if (!state->triggered) {
        if (!loud(state->settings.threshold, samples, count))
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
