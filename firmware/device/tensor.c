/* SPDX-License-Identifier: Apache-2.0 */
#include "device/tensor.h"
#include "device/app.h"
#include "device/protocol.h"
#include "device/transfer.h"
#include <string.h>

static transfer_t tensor = {.word = WORD_TENSOR, .unit = 1};
static size_t tensor_received; /* bytes of the input */

void tensor_reset(void)
{
    tensor.expected = 0;
    tensor_received = 0;
}

static void run(void)
{
    const int error = app.model->run(app.input, app.output);
    if (app.pipeline != NULL)
        app.pipeline->classifier->state->runs = 0; /* the model's history now holds this input */
    if (error != 0)
        protocol_error(&error_model, error);
    else
        protocol_tensor(app.output, app.model->output_size);
}

void tensor_input(const command_t *command)
{
    const size_t size = app.model->input_size;
    if (command->fault == NULL && command->number == 0)
        tensor_reset();
    if (!transfer_check(&tensor, command))
        return;
    if (command->payload_size > size - tensor_received) {
        transfer_refuse(&tensor, &error_size, (uint32_t)size);
        return;
    }
    memcpy((uint8_t *)app.input + tensor_received, command->payload, command->payload_size);
    tensor_received += command->payload_size;
    if (tensor_received == size && command->payload_size > 0)
        run();
    transfer_take(&tensor);
}
