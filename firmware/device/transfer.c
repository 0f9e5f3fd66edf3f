/* SPDX-License-Identifier: Apache-2.0 */
#include "device/transfer.h"
#include "device/protocol.h"
#include "port/port.h"

void transfer_ack(const transfer_t *transfer)
{
    /* However short its lines are, a host that counts each as a full one never overruns the ring. */
    const size_t lines = port_read_capacity() / (PROTOCOL_LINE_MAX + 1);
    const uint32_t each = PROTOCOL_PAYLOAD_MAX / transfer->unit;
    protocol_ack(transfer->expected, lines > 1 ? (uint32_t)lines * each : each);
}

void transfer_refuse(const transfer_t *transfer, const protocol_error_t *error, uint32_t detail)
{
    protocol_error_of(transfer->word, error, detail);
    transfer_ack(transfer);
}

bool transfer_check(const transfer_t *transfer, const command_t *command)
{
    if (command->fault != NULL) {
        transfer_refuse(transfer, command->fault, transfer->expected);
        return false;
    }
    if (command->number != transfer->expected) {
        if (command->number + 1 == transfer->expected)
            transfer_ack(transfer); /* the answer to it was lost on its way */
        else
            transfer_refuse(transfer, &error_order, command->number);
        return false;
    }
    if (command->payload_size % transfer->unit != 0) {
        transfer_refuse(transfer, &error_payload, transfer->expected);
        return false;
    }
    return true;
}

void transfer_take(transfer_t *transfer)
{
    transfer->expected++;
    transfer_ack(transfer);
}
