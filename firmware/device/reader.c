/* SPDX-License-Identifier: Apache-2.0 */
#include "device/reader.h"

reader_event_t reader_take(reader_t *reader, uint8_t byte)
{
    if (reader->ended) {
        reader->used = 0;
        reader->ended = false;
    }
    if (byte == '\n' || byte == '\r') {
        const bool skipped = reader->skipping;
        reader->skipping = false;
        reader->ended = true;
        return skipped ? READER_MORE : READER_LINE;
    }
    if (reader->skipping)
        return READER_MORE;
    if (reader->used == PROTOCOL_LINE_MAX) {
        reader->skipping = true;
        return READER_TOO_LONG;
    }
    reader->text[reader->used++] = (char)byte;
    return READER_MORE;
}
