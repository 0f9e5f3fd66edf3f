/* SPDX-License-Identifier: Apache-2.0 */
#include "tflm/engine.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "tflm/state.h"
#include <cstring>
#include <new>

static int fail(int error, const char *what)
{
    tflm_report(error, what);
    return error;
}

static bool ends_fit(const tflm_t *tflm, tflite::MicroInterpreter *interpreter)
{
    return interpreter->inputs_size() == 1 && interpreter->outputs_size() > tflm->output &&
           interpreter->input(0)->bytes == tflm->input_size &&
           interpreter->output(tflm->output)->bytes == tflm->output_size;
}

/* The interpreter is told an allocator, not an arena: variables have to be allocated from it first. */
int tflm_start(const tflm_t *tflm)
{
    tflm_state_t *const state = tflm->state;
    state->interpreter = nullptr;
    const tflite::Model *const model = tflite::GetModel(tflm->flatbuffer);
    if (model->version() != TFLITE_SCHEMA_VERSION)
        return fail(TFLM_SCHEMA, "schema version unknown");
    const auto *const resolver = static_cast<const tflite::MicroOpResolver *>(tflm->resolver());
    if (resolver == nullptr)
        return fail(TFLM_OPERATORS, "operator refused");
    tflite::MicroAllocator *const allocator = tflite::MicroAllocator::Create(tflm->arena, tflm->arena_size);
    if (allocator == nullptr)
        return fail(TFLM_ARENA, "arena too small");
    tflite::MicroResourceVariables *variables = nullptr;
    if (tflm->variables > 0) {
        variables = tflite::MicroResourceVariables::Create(allocator, tflm->variables);
        if (variables == nullptr)
            return fail(TFLM_ARENA, "arena too small for variables");
    }
    auto *const interpreter =
        new (state->memory) tflite::MicroInterpreter(model, *resolver, allocator, variables);
    if (interpreter->AllocateTensors() != kTfLiteOk)
        return fail(TFLM_ARENA, "arena too small or layer refused");
    if (!ends_fit(tflm, interpreter))
        return fail(TFLM_ENDS, "input or output of another size");
    state->interpreter = interpreter;
    return TFLM_OK;
}

/* Not MicroInterpreter::Reset(): that makes variables zero, and not what the model starts them with. */
void tflm_reset(const tflm_t *tflm)
{
    if (tflm->variables > 0)
        tflm_start(tflm);
}

int tflm_run(const tflm_t *tflm, const void *input, void *output)
{
    tflite::MicroInterpreter *const interpreter = tflm->state->interpreter;
    if (interpreter == nullptr)
        return TFLM_NOT_STARTED;
    memcpy(interpreter->input(0)->data.raw, input, tflm->input_size);
    if (interpreter->Invoke() != kTfLiteOk)
        return fail(TFLM_RUN, "a kernel failed");
    memcpy(output, interpreter->output(tflm->output)->data.raw, tflm->output_size);
    return TFLM_OK;
}

size_t tflm_arena_used(const tflm_t *tflm)
{
    const tflite::MicroInterpreter *const interpreter = tflm->state->interpreter;
    return interpreter == nullptr ? 0 : interpreter->arena_used_bytes();
}
