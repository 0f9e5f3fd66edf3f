# SPDX-License-Identifier: Apache-2.0
"""Several inputs or outputs in one row of bytes, as the generated run() takes and gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 4  # bytes: codegen.model.graph.END_ALIGNMENT, which the reference's environment does not have


def pack(tensors: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """One after the other, each at a multiple of ALIGNMENT: uint8[bytes]."""
    row = bytearray()
    for tensor in tensors:
        row += bytes(-len(row) % ALIGNMENT) + np.ascontiguousarray(tensor).tobytes()
    return np.frombuffer(bytes(row), np.uint8)


def unpack(
    rows: NDArray[np.uint8], kinds: Sequence[tuple[Sequence[int], np.dtype[Any]]]
) -> list[NDArray[Any]]:
    """The tensors of uint8[..., bytes], by shape and type: each [..., *shape]."""
    found, end = [], 0
    for shape, dtype in kinds:
        start = end + -end % ALIGNMENT
        end = start + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        part = np.ascontiguousarray(rows[..., start:end])
        found.append(part.view(dtype).reshape(*rows.shape[:-1], *shape))
    return found
