/* SPDX-License-Identifier: Apache-2.0 */
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/debug_log.h"
#include "toy_sizes.h"

namespace tflite
{

// More is needed on the way than is used at the end, as in the real one.
constexpr size_t kOnTheWay = TOY_INPUT + TOY_OUTPUT + 200, kUsed = TOY_INPUT + TOY_OUTPUT + 20;

// As the real one, in a little less it jumps to nowhere, and in a little less than all it computes something
// else.
constexpr size_t kNowhere = kOnTheWay - 48, kOther = kOnTheWay - 32, kRefused = kOnTheWay - 16;

static MicroAllocator toy_allocator;

static void Say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    DebugLog(format, args);
    va_end(args);
}

MicroAllocator *MicroAllocator::Create(uint8_t *arena, size_t size)
{
    toy_allocator.arena = arena;
    toy_allocator.size = size;
    return &toy_allocator;
}

size_t MicroAllocator::used_bytes() const
{
    return kUsed;
}

MicroInterpreter::MicroInterpreter(const Model *, const MicroOpResolver &resolver, MicroAllocator *allocator,
                                   MicroResourceVariables *)
    : resolver_(resolver), allocator_(*allocator)
{
}

TfLiteStatus MicroInterpreter::AllocateTensors()
{
    const size_t size = allocator_.size;
    if (TOY_FAULTS || (size >= kNowhere && size < kOther)) {
        void (*volatile nowhere)() = nullptr;
        nowhere();
    }
    if (size < kOther || (size >= kRefused && size < kOnTheWay)) {
        Say("%s: %d bytes of %d%%\n", "toy", static_cast<int>(allocator_.size), 100);
        return kTfLiteError;
    }
    input_.data.raw = allocator_.arena;
    input_.bytes = TOY_INPUT;
    output_.data.raw = allocator_.arena + TOY_INPUT;
    output_.bytes = TOY_OUTPUT;
    second_.data.raw = allocator_.arena + TOY_INPUT + TOY_OUTPUT;
    second_.bytes = TOY_SECOND;
    return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke()
{
    const auto *input = static_cast<const int8_t *>(input_.data.raw);
    if (input[0] == TOY_REFUSED)
        return kTfLiteError;
    resolver_.Only()->invoke(input, TOY_INPUT, static_cast<int8_t *>(output_.data.raw), TOY_OUTPUT);
    resolver_.Only()->invoke(input, 1, static_cast<int8_t *>(second_.data.raw), TOY_SECOND);
    if (allocator_.size < kRefused)
        static_cast<int8_t *>(output_.data.raw)[0] ^= 1;
    return kTfLiteOk;
}

} // namespace tflite
