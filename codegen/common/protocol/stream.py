# SPDX-License-Identifier: Apache-2.0
"""SensiML's way of capturing, which its Data Studio and gateway read: an offer, words, packets.

The device repeats the offer once a second. After `connect` it sends packets and nothing else, until
`disconnect`:

    FF | length, uint16 LE: payload + 6 | 00 | channel | sequence, uint32 LE, from 1 | payload | XOR

The payload is int16 LE samples; XOR is over the bytes from the 00 to the payload's end.
"""

from __future__ import annotations

STREAM_SYNC = 0xFF
STREAM_CHANNEL = 0
STREAM_SAMPLES = 112  # in a packet
STREAM_HEAD = 9  # bytes before the payload
STREAM_COUNTED = 6  # bytes of the head that the length counts
STREAM_PACKET = STREAM_HEAD + 2 * STREAM_SAMPLES + 1  # bytes
CONNECT, DISCONNECT = "connect", "disconnect"
# Members of the offer; %u is the sample rate.
OFFER = (
    f'"version":2,"sample_rate":%u,"column_location":{{"Microphone":0}},"samples_per_packet":{STREAM_SAMPLES}'
)
