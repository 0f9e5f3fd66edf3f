/* SPDX-License-Identifier: Apache-2.0 */
#include "device/replay.h"
#include "device/listen.h"
#include "device/protocol.h"
#include "device/transfer.h"

#define BLOCK 32 /* samples unpacked at once */

static transfer_t replay = {.word = WORD_AUDIO, .unit = sizeof(int16_t)};

void replay_start(void)
{
    listen_replay();
    replay.expected = 0;
    transfer_ack(&replay);
}

void replay_audio(const command_t *command)
{
    if (!listen_is_replay()) {
        protocol_error(&error_audio, 0);
        return;
    }
    if (!transfer_check(&replay, command))
        return;
    const uint8_t *bytes = command->payload;
    size_t left = command->payload_size / 2;
    while (left > 0) {
        int16_t block[BLOCK];
        const size_t count = left < BLOCK ? left : BLOCK;
        for (size_t i = 0; i < count; i++)
            block[i] = (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        listen_push(block, count);
        bytes += 2 * count;
        left -= count;
    }
    transfer_take(&replay);
}
