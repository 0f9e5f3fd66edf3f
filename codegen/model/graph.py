# SPDX-License-Identifier: Apache-2.0
"""A model as the reader leaves it: checked, frozen, independent of the file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

END_ALIGNMENT = 4  # bytes, of each of several inputs or outputs


@dataclass(frozen=True)
class Quantization:
    """real = (q - zero_point) * scale; one pair, or one a slice along `axis` (per channel).

    Scales are float32 values of the file, held exactly in Python floats.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def scale(self) -> float:
        """The one scale of a per-tensor quantization."""
        if len(self.scales) != 1:
            raise ValueError("quantized per channel")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The one zero point of a per-tensor quantization."""
        if len(self.zero_points) != 1:
            raise ValueError("quantized per channel")
        return self.zero_points[0]

    def of_channels(self, channels: Sequence[int]) -> Quantization:
        """Of a tensor that has these slices of it along the axis, in this order, some perhaps repeated."""
        if len(self.scales) == 1:
            return self
        return replace(
            self,
            scales=tuple(self.scales[channel] for channel in channels),
            zero_points=tuple(self.zero_points[channel % len(self.zero_points)] for channel in channels),
        )


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value between layers, or a constant when `data` is set. Shapes have the batch of 1 in front."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str  # NumPy's name: "int8", "uint8", "int16", "int32", "float32", ...
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None
    variable: bool = False  # an operator's own state: LSTM and SVDF read it and write it
    open_batch: bool = False  # the file leaves the first size open and calls it 1
    file_dtype: str | None = None  # an app's end that is int8 here and something else in the file
    made: bool = False  # by a pass: the file does not have it

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.size * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Node:
    """One operator. Inputs and outputs are indices into Graph.tensors; -1 is an absent optional input.

    index: its own, rising in the order of execution
    """

    index: int
    op: str  # the schema's name: "CONV_2D"
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)  # the schema's option names, snake_case
    version: int = 1
    intermediates: tuple[int, ...] = ()  # tensors that only lend an LSTM's inner values their scales
    layer: int = -1  # its number in the file, where a pass has given others

    @property
    def number(self) -> int:
        """What a person knows it by: its number in the file, or that of the operator it stands for."""
        return self.index if self.layer < 0 else self.layer


@dataclass(frozen=True, eq=False)
class Variable:
    """State that a streaming model keeps from one run to the next; `initial` after a reset."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    initial: NDArray[Any]
    own: bool = False  # of one operator, not read and assigned by others


def places(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Byte offsets of tensors one after the other, each at a multiple of END_ALIGNMENT."""
    found, end = [], 0
    for tensor in tensors:
        found.append(-(-end // END_ALIGNMENT) * END_ALIGNMENT)
        end = found[-1] + tensor.nbytes
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Graph:
    """The model: tensors by index, nodes in execution order.

    content: the file, as it was read; sha256: of it
    chosen: the number in the file of the one output that is left, where an app has chosen it
    """

    name: str
    sha256: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: tuple[Variable, ...] = ()
    content: bytes = b""
    chosen: int | None = None

    @property
    def one_ended(self) -> bool:
        """One tensor goes in, one comes out."""
        return len(self.inputs) == len(self.outputs) == 1

    @property
    def input_places(self) -> tuple[int, ...]:
        """Byte offsets of the inputs in what run() is given: one after the other."""
        return places([self.tensors[index] for index in self.inputs])

    @property
    def output_places(self) -> tuple[int, ...]:
        """The same of the outputs."""
        return places([self.tensors[index] for index in self.outputs])

    @property
    def input_bytes(self) -> int:
        """Of all inputs."""
        return self.input_places[-1] + self.tensors[self.inputs[-1]].nbytes

    @property
    def output_bytes(self) -> int:
        """Of all outputs."""
        return self.output_places[-1] + self.tensors[self.outputs[-1]].nbytes

    @property
    def input(self) -> Tensor:
        """The one input tensor."""
        (index,) = self.inputs
        return self.tensors[index]

    @property
    def output(self) -> Tensor:
        """The one output tensor."""
        (index,) = self.outputs
        return self.tensors[index]
