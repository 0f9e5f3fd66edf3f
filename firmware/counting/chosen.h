/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COUNTING_CHOSEN_H
#define COUNTING_CHOSEN_H

#include "pipeline/pipeline.h"

/* The pipeline of one of the app's models, by its number from 0; NULL: a bare model has none. one_model/ is
 * linked where there is one, several_models/ where there are more. */
const pipeline_t *chosen_pipeline(uint32_t number);

#endif
