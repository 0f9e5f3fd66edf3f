# SPDX-License-Identifier: Apache-2.0
"""What a WAV file's header says of its length, and what the file holds: they differ where writing stopped."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

UNKNOWN = 0x7FFFF000  # bytes; from here on it is what a program writes that cannot know, into a pipe
_MOST_CHUNKS = 64  # before the data


@dataclass(frozen=True)
class DataChunk:
    """Where the samples start, how many bytes the header says they have, and how many the file holds."""

    start: int
    said: int
    held: int

    @property
    def never_closed(self) -> bool:
        """The length was not filled in: the recorder lost power."""
        return self.said == 0 and self.held > 0

    @property
    def cut(self) -> bool:
        """Less is there than was written once."""
        return self.held < self.said < UNKNOWN


def data_chunk(path: Path) -> DataChunk | None:
    """The data chunk of a RIFF file; None where the file is another or has none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        for _ in range(_MOST_CHUNKS):
            chunk = file.read(8)
            if len(chunk) < 8:
                return None
            name, said = struct.unpack("<4sI", chunk)
            if name == b"data":
                return DataChunk(file.tell(), said, size - file.tell())
            file.seek(said + said % 2, 1)
    return None


def closed(path: Path, chunk: DataChunk) -> bytes:
    """The file with the length that it has."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, chunk.start - 4, chunk.held)
    struct.pack_into("<I", data, 4, len(data) - 8)
    return bytes(data)
