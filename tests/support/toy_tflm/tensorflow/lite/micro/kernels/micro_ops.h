/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_MICRO_OPS_H
#define TOY_MICRO_OPS_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite
{

TFLMRegistration Register_CUMSUM();
TFLMRegistration Register_FULLY_CONNECTED();
TFLMRegistration Register_FULLY_CONNECTED_INT8();

} // namespace tflite

#endif
