/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PIPELINE_HELD_BACK_H
#define PIPELINE_HELD_BACK_H

#include "pipeline/pipeline.h"

/* For a model with a memory of its own: a window that the gate holds back is a gap in what it hears. Cascade,
 * model and mean of scores begin anew with the next window that passes; verdicts go on voting. */
void held_back(const pipeline_t *pipeline);

#endif
