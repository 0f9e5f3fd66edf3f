/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_MICRO_ALLOCATOR_H
#define TOY_MICRO_ALLOCATOR_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite
{

class MicroAllocator
{
  public:
    static MicroAllocator *Create(uint8_t *arena, size_t size);
    size_t used_bytes() const;
    uint8_t *arena;
    size_t size;
};

} // namespace tflite

#endif
