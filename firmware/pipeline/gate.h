/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_GATE_H
#define PIPELINE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open while a window is worth classifying. */
typedef struct {
    int32_t threshold; /* -1..32767; opens when any |sample| exceeds it, which -1 says of every one */
    int32_t backoff;   /* windows passed after the opening one, 0..1000 */
    int32_t delay;     /* windows held back first, 0..64 */
} gate_settings_t;

typedef struct {
    gate_settings_t settings;
    uint32_t held;   /* windows counted of the delay */
    uint32_t passed; /* windows still to pass without a look */
    bool triggered;
} gate_state_t;

typedef struct {
    gate_settings_t initial;
    gate_state_t *state;
} gate_t;

/* Shut and idle; settings stay. */
void gate_reset(const gate_t *gate);

/* Settings of the build come back, shut and idle. */
void gate_restore(const gate_t *gate);

/* True when this window passes; samples are aligned to 4 bytes. */
bool gate_step(const gate_t *gate, const int16_t *samples, size_t count);

/* false: out of range, unchanged. */
bool gate_set_threshold(const gate_t *gate, int32_t threshold);
bool gate_set_backoff(const gate_t *gate, int32_t backoff);
bool gate_set_delay(const gate_t *gate, int32_t delay);

#endif
