/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_SCHEMA_GENERATED_H
#define TOY_SCHEMA_GENERATED_H

#include "fixedpoint/fixedpoint.h"
#include "flatbuffers/flatbuffers.h"
#include "ruy/profiler/instrumentation.h"
#include <cstdint>

namespace tflite
{

enum BuiltinOperator {
    BuiltinOperator_CONV_2D = 3,
    BuiltinOperator_FULLY_CONNECTED = 9,
    BuiltinOperator_CUMSUM = 128
};

struct Model {
    char bytes[8];
    uint32_t version() const
    {
        return bytes[4] == 'T' && bytes[5] == 'F' && bytes[6] == 'L' ? 3 : 0;
    }
};

inline const Model *GetModel(const void *bytes)
{
    return static_cast<const Model *>(bytes);
}

} // namespace tflite

#endif
