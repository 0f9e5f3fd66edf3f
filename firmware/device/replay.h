/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_REPLAY_H
#define DEVICE_REPLAY_H

#include "device/command.h"

/* Sound from the serial line in place of the microphone: time is the number of samples. */

/* `replay`: everything empty, line 0 expected. */
void replay_start(void);

/* An `audio` line: int16 little-endian samples. Its answer comes after all lines its samples cause. */
void replay_audio(const command_t *command);

#endif
