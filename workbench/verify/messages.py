# SPDX-License-Identifier: Apache-2.0
"""Messages of the reference's process and ours: two texts and some arrays, over a pipe.

Standard library and NumPy only: the process has an environment of its own.
"""

from __future__ import annotations

import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def send(stream: IO[bytes], head: str, text: str, arrays: list[NDArray[Any]]) -> None:
    """Writes one message: two texts and arrays, each part with its length before it."""
    parts = [head.encode(), text.encode()]
    for array in arrays:
        described = f"{array.dtype.str} {' '.join(str(size) for size in array.shape)}".encode()
        parts += [described, np.ascontiguousarray(array).tobytes()]
    stream.write(struct.pack("<I", len(parts)))
    for part in parts:
        stream.write(struct.pack("<Q", len(part)))
        stream.write(part)
    stream.flush()


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def receive(stream: IO[bytes]) -> tuple[str, str, list[NDArray[Any]]]:
    """Reads one; EOFError where the other side is gone."""
    (count,) = struct.unpack("<I", _exactly(stream, 4))
    parts = [_exactly(stream, struct.unpack("<Q", _exactly(stream, 8))[0]) for _ in range(count)]
    arrays = []
    for described, data in zip(parts[2::2], parts[3::2], strict=True):
        dtype, *shape = described.decode().split(" ")
        arrays.append(np.frombuffer(data, dtype).reshape([int(size) for size in shape if size]))
    return parts[0].decode(), parts[1].decode(), arrays
