/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLM_STATE_H
#define TFLM_STATE_H

#include "tensorflow/lite/micro/micro_interpreter.h"

/* Room for the interpreter, which is built in it at the start and never taken apart. */
struct tflm_state {
    alignas(tflite::MicroInterpreter) unsigned char memory[sizeof(tflite::MicroInterpreter)];
    tflite::MicroInterpreter *interpreter; /* nullptr: not started */
};

#endif
