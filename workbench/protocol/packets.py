# SPDX-License-Identifier: Apache-2.0
"""Packets of samples as SensiML's devices send them: codegen/common/protocol/stream.py has their form."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import reduce
from operator import xor

from codegen.common.protocol import STREAM_COUNTED, STREAM_HEAD, STREAM_SYNC
from workbench.protocol.lines import Samples

FURTHEST = 1 << 16  # packets that may be lost between two


class Packets:
    """Bytes as they come -> samples. What is damaged is skipped, byte by byte, to the next whole packet.

    Eight bits of XOR let one false packet in 256 pass; its number, 32 bits of anything, tells it."""

    def __init__(self, size: int) -> None:
        """size: samples of a packet, as the device's offer says."""
        self._size = size
        self._rest = bytearray()
        self._next = 1  # the number of the packet that comes next, where none is lost

    def take(self, data: bytes) -> Iterator[Samples]:
        """The packets that these bytes end. Numbers of samples follow from those of the packets."""
        self._rest += data
        while True:
            at = self._rest.find(STREAM_SYNC)
            del self._rest[: len(self._rest) if at < 0 else at]
            if len(self._rest) < STREAM_HEAD:
                return
            length, zero, _, sequence = struct.unpack_from("<HBBI", self._rest, 1)
            payload = length - STREAM_COUNTED
            near = self._next <= sequence < self._next + FURTHEST
            if zero != 0 or payload != 2 * self._size or not near:
                del self._rest[0]
                continue
            end = STREAM_HEAD + payload
            if len(self._rest) <= end:
                return
            if reduce(xor, self._rest[3:end]) != self._rest[end]:
                del self._rest[0]
                continue
            self._next = sequence + 1
            yield Samples((sequence - 1) * self._size, 16, bytes(self._rest[STREAM_HEAD:end]))
            del self._rest[: end + 1]


def packet_baud(rate: int, size: int) -> int:
    """Baud at 8N1 that such packets take."""
    return -(-rate * (STREAM_HEAD + 2 * size + 1) * 10 // size)
