/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_MICRO_INTERPRETER_H
#define TOY_MICRO_INTERPRETER_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "toy_sizes.h"

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite
{

class MicroInterpreter
{
  public:
    MicroInterpreter(const Model *, const MicroOpResolver &resolver, MicroAllocator *allocator,
                     MicroResourceVariables *);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    size_t inputs_size() const
    {
        return 1;
    }
    size_t outputs_size() const
    {
        return TOY_ENDS;
    }
    TfLiteTensor *input(size_t)
    {
        return &input_;
    }
    TfLiteTensor *output(size_t index)
    {
        return index == 0 ? &output_ : &second_;
    }
    size_t arena_used_bytes() const
    {
        return allocator_.used_bytes();
    }

  private:
    const MicroOpResolver &resolver_;
    MicroAllocator &allocator_;
    TfLiteTensor input_ = {}, output_ = {}, second_ = {};
};

} // namespace tflite

#endif
