# SPDX-License-Identifier: Apache-2.0
"""What one step of time does, as typed calls: no C here, codegen/emit/incremental.py spells it.

Tensors stand for their index in the schedule's list. A tensor lies where its Place says, or in the arena.
`first`: the frame of a full run, from 0, that makes the first row of the tensor in question.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.incremental.state import FlatStream, History, Rows, Stream
from codegen.kernels.layer import Layer

# --- places: where a tensor lies that is neither in the arena nor with the caller ---


@dataclass(frozen=True)
class Frame:
    """The newest frame, which the step is given."""


@dataclass(frozen=True)
class AllRows:
    """All rows of a tensor, as they are kept."""

    state: Rows | History


@dataclass(frozen=True)
class LastRows:
    """Kept rows of a tensor. reach: from the first of them to the newest row of all"""

    rows: Rows
    first: int
    reach: int


@dataclass(frozen=True)
class NextRow:
    """The newest row, made where it is kept. As a call: finds that place for the call that makes the row."""

    rows: Rows
    first: int


Place = Frame | AllRows | LastRows | NextRow

# --- targets: where a convolution writes its row, as int16 ---


@dataclass(frozen=True)
class InArena:
    """A tensor of int16 in the arena."""

    tensor: int


@dataclass(frozen=True)
class NewestOfStream:
    """The newest row of another convolution's stream."""

    stream: Stream


@dataclass(frozen=True)
class NextOfHistory:
    """The newest row of a dense layer's history."""

    history: History
    first: int


@dataclass(frozen=True)
class NewestOfFlat:
    """The newest positions of a flat stream."""

    stream: FlatStream


Target = InArena | NewestOfStream | NextOfHistory | NewestOfFlat

# --- calls that compute a layer ---


@dataclass(frozen=True, eq=False)
class Compute:
    """The layer's own kernel over a few rows: from its inputs to its output, with its scratch."""

    layer: Layer


@dataclass(frozen=True, eq=False)
class Convolve:
    """The stream kernel over a stream, or over a tensor of int16 in the arena."""

    layer: Layer
    source: Stream | InArena
    target: Target


# --- calls that move a row ---


@dataclass(frozen=True)
class Age:
    """The rows of a stream become one frame older, which makes space for the newest."""

    stream: Stream


@dataclass(frozen=True)
class Clear:
    """Fills a stream's columns of padding with its zero point."""

    stream: Stream


@dataclass(frozen=True)
class Push:
    """A row of int8 becomes the newest of a stream."""

    stream: Stream
    row: int


@dataclass(frozen=True)
class Unfold:
    """A stream from `count` rows of int8. apart: bytes from one row to the next"""

    stream: Stream
    rows: int
    count: int
    apart: int


@dataclass(frozen=True)
class Narrow:
    """int8 from a row of int16 in the arena. pitch: values a column there, of which `channels` are taken"""

    source: int
    output: int
    columns: int
    channels: int
    pitch: int


@dataclass(frozen=True)
class Widen:
    """A row of int8 joins a history."""

    target: NextOfHistory
    row: int


@dataclass(frozen=True)
class PushRow:
    """A row of int8 joins the rows that are kept of its tensor."""

    rows: Rows
    first: int
    row: int


# --- the layout "scrambled" ---


@dataclass(frozen=True)
class FlatShift:
    """The positions of a flat stream become one frame older."""

    stream: FlatStream


@dataclass(frozen=True)
class FlatPush:
    """A frame of int8 becomes the newest positions of a flat stream."""

    stream: FlatStream
    frame: int


@dataclass(frozen=True)
class FlatUnfold:
    """What a convolution reads of a flat stream, to a tensor of int16 in the arena."""

    stream: FlatStream
    output: int


@dataclass(frozen=True)
class FlatRows:
    """The picture's rows of a flat stream, without the positions between them, to a tensor in the arena.

    count: rows; size: values of a row; apart: from one row to the next
    """

    stream: FlatStream
    output: int
    count: int
    size: int
    apart: int


Call = (
    NextRow
    | Compute
    | Convolve
    | Age
    | Clear
    | Push
    | Unfold
    | Narrow
    | Widen
    | PushRow
    | FlatShift
    | FlatPush
    | FlatUnfold
    | FlatRows
)


@dataclass(frozen=True, eq=False)
class Task:
    """Calls that make one row, or move it.

    layer: what the memory plan sees of them: inputs, output, scratch
    first: the frame of a full run, from 0, from which on they are due
    """

    layer: Layer
    calls: tuple[Call, ...]
    first: int

    @property
    def computes(self) -> bool:
        """It computes a layer of the model; else it moves a row of it."""
        return any(isinstance(call, (Compute, Convolve)) for call in self.calls)
