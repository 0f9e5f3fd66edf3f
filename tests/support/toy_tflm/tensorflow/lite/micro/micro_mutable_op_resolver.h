/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_MICRO_MUTABLE_OP_RESOLVER_H
#define TOY_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite
{

class MicroOpResolver
{
  public:
    virtual const TFLMRegistration *Only() const = 0;
};

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver
{
  public:
    TfLiteStatus AddFullyConnected(const TFLMRegistration &registration = Register_FULLY_CONNECTED())
    {
        return AddBuiltin(BuiltinOperator_FULLY_CONNECTED, registration);
    }
    TfLiteStatus AddCumSum(const TFLMRegistration &registration = Register_CUMSUM())
    {
        return AddBuiltin(BuiltinOperator_CUMSUM, registration);
    }
    const TFLMRegistration *Only() const override
    {
        return &registration_;
    }

  private:
    TfLiteStatus AddBuiltin(BuiltinOperator, const TFLMRegistration &registration)
    {
        registration_ = registration.invoke != nullptr ? registration : registration_;
        return count_++ < tOpCount ? kTfLiteOk : kTfLiteError;
    }
    TFLMRegistration registration_ = {};
    unsigned int count_ = 0;
};

} // namespace tflite

#endif
