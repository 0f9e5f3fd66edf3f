/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_TENSOR_H
#define DEVICE_TENSOR_H

#include "device/command.h"

/* A `tensor` line: a piece of the model's input in its own type. The last piece runs the model, answered by
 * its output and then by the ack. Line 0 starts a new input. */
void tensor_input(const command_t *command);

/* Forgets a half input. */
void tensor_reset(void);

#endif
