/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_MEASURE_MEASURED_H
#define TFLM_MEASURE_MEASURED_H

#include "tflm/engine.h"

/* Generated: the model, with as large an arena as the emulated board has room for. */
typedef struct {
    const tflm_t *tflm;
    void *input, *output;
} measured_t;

extern const measured_t measured;

#endif
