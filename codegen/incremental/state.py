# SPDX-License-Identifier: Apache-2.0
"""The state of an incremental model: what is kept of tensors, the structs of firmware/nn/stream*.h.

name: in C, after the app's prefix; reader: the layer for which it is kept, by the name of its struct
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.kernels.limits import OCTET


@dataclass(frozen=True)
class Stream:
    """The rows that one convolution reads, side by side at every column: a stream_t of int16.

    columns: with padding, `left` of them in front; inner: those of the tensor
    depth: values a column, with those that fill up an odd number of channels
    in_arena: filled anew at every step, so that its memory is the arena's
    """

    name: str
    reader: str
    columns: int
    left: int
    inner: int
    rows: int
    depth: int
    zero_point: int
    in_arena: bool = False

    @property
    def values(self) -> int:
        """int16 in RAM."""
        return self.columns * self.rows * self.depth

    @property
    def padded(self) -> bool:
        """It has columns that are not the tensor's."""
        return self.columns > self.inner

    @property
    def nbytes(self) -> int:
        """Bytes that last."""
        return 0 if self.in_arena else 2 * self.values


@dataclass(frozen=True)
class Rows:
    """The newest rows of a tensor, or all of them, as they lie in it: a stream_rows_t of int8."""

    name: str
    reader: str
    rows: int
    columns: int
    depth: int

    @property
    def nbytes(self) -> int:
        """Bytes that last."""
        return self.rows * self.columns * self.depth


@dataclass(frozen=True)
class History:
    """All rows of a tensor for a dense layer: a stream_history_t of int16.

    pitch: values a column, of which `depth` are the tensor's
    """

    name: str
    reader: str
    rows: int
    columns: int
    depth: int
    pitch: int

    @property
    def row(self) -> int:
        """Values of a row."""
        return self.columns * self.pitch

    @property
    def values(self) -> int:
        """int16 in RAM, with what the dense kernel's loop reads after them."""
        size = self.rows * self.row
        return size + -size % OCTET

    @property
    def nbytes(self) -> int:
        """Bytes that last."""
        return 2 * self.values


@dataclass(frozen=True)
class FlatStream:
    """The newest positions of a picture into which frames are copied flat: a stream_flat_t of int16.

    positions: kept; step: new ones a frame; rows, width: of the kernel, and positions from one to the next
    columns: of the unfolded input, `run` values each
    """

    name: str
    reader: str
    positions: int
    step: int
    depth: int
    rows: int
    width: int
    columns: int
    run: int

    @property
    def values(self) -> int:
        """int16 in RAM."""
        return self.positions * self.depth

    @property
    def nbytes(self) -> int:
        """Bytes that last."""
        return 2 * self.values


State = Stream | Rows | History | FlatStream
