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

/* Where the next of several inputs or outputs begins. */
static size_t place_after(size_t end)
{
    return (end + 3) / 4 * 4;
}

/* The model's outputs that are read: from the first to before the last. */
static size_t first_output(const tflm_t *tflm)
{
    return tflm->output < 0 ? 0 : static_cast<size_t>(tflm->output);
}

static size_t last_output(const tflm_t *tflm, tflite::MicroInterpreter *interpreter)
{
    return tflm->output < 0 ? interpreter->outputs_size() : first_output(tflm) + 1;
}

static bool ends_fit(const tflm_t *tflm, tflite::MicroInterpreter *interpreter)
{
    const size_t last = last_output(tflm, interpreter);
    if (last > interpreter->outputs_size())
        return false;
    size_t taken = 0, given = 0;
    for (size_t i = 0; i < interpreter->inputs_size(); i++)
        taken = place_after(taken) + interpreter->input(i)->bytes;
    for (size_t i = first_output(tflm); i < last; i++)
        given = place_after(given) + interpreter->output(i)->bytes;
    return taken == tflm->input_size && given == tflm->output_size;
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
    size_t end = 0;
    for (size_t i = 0; i < interpreter->inputs_size(); i++) {
        const auto *const tensor = interpreter->input(i);
        memcpy(tensor->data.raw, static_cast<const char *>(input) + place_after(end), tensor->bytes);
        end = place_after(end) + tensor->bytes;
    }
    if (interpreter->Invoke() != kTfLiteOk)
        return fail(TFLM_RUN, "a kernel failed");
    end = 0;
    for (size_t i = first_output(tflm); i < last_output(tflm, interpreter); i++) {
        const auto *const tensor = interpreter->output(i);
        memcpy(static_cast<char *>(output) + place_after(end), tensor->data.raw, tensor->bytes);
        end = place_after(end) + tensor->bytes;
    }
    return TFLM_OK;
}

size_t tflm_arena_used(const tflm_t *tflm)
{
    const tflite::MicroInterpreter *const interpreter = tflm->state->interpreter;
    return interpreter == nullptr ? 0 : interpreter->arena_used_bytes();
}
