/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_WINDOW_GAP_H
#define PIPELINE_WINDOW_GAP_H

#include "pipeline/window.h"

/* A window's skip, where its stride is above its size: takes samples that no window hears; returns how many.
 */
size_t window_gap(const window_t *window, const int16_t *samples, size_t count);

#endif
