"""What lowering makes of a graph: kernel calls in order, with their constants; memory is not planned yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.graph import Node, Tensor

SIZES = {
    "int8_t": 1,
    "int16_t": 2,
    "int32_t": 4,
    "uint32_t": 4,
    "requantize_t": 16,
    "requantize_wide_t": 16,
}


@dataclass(frozen=True)
class Groups:
    """Words of some outputs or channels each: a comment, then the parts, each on lines of its own.

    of: "channels"; each: how many share a group; count: of them in all; parts: words of each part
    """

    of: str
    each: int
    count: int
    parts: tuple[int, ...]

    def comment(self, group: int) -> str:
        """Whose words the group holds: channels 2, 3."""
        first = group * self.each
        last = min(first + self.each, self.count) - 1
        if first == last:
            return f"{self.of[:-1]} {first}"
        return f"{self.of} {first}{', ' if last == first + 1 else ' .. '}{last}"


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of one layer.

    suffix: the end of its C name, "weights"
    type: of an element: "int8_t", "requantize_t"
    values: [n], or [n, fields] where an element is a struct
    note: what it holds and in which order
    groups: how words are laid out, where they come in groups
    """

    suffix: str
    type: str
    values: NDArray[np.int64]
    note: str
    groups: Groups | None = None

    @property
    def nbytes(self) -> int:
        """Bytes in flash."""
        return int(self.values.shape[0]) * SIZES[self.type]


@dataclass(frozen=True, eq=False)
class Layer:
    """One call of a kernel.

    name: of its struct, after the app's prefix: "conv1"
    kernel: the function
    type: its header nn/<type>.h and struct <type>_t
    fields: C designators and values of the struct; a value naming an Array's suffix is written as its C name
    inputs, output: tensors; inputs may be read while output is written only where `in_place` allows
    in_place: inputs whose memory the output may take
    scratch: bytes of working memory, 0: the kernel takes none
    macs: multiply-accumulates of the operator as the model defines it
    """

    name: str
    kernel: str
    type: str
    fields: tuple[tuple[str, str], ...]
    arrays: tuple[Array, ...]
    inputs: tuple[int, ...]
    output: int
    node: Node
    in_place: tuple[int, ...] = ()
    scratch: int = 0
    macs: int = 0
    note: str = ""


@dataclass(frozen=True, eq=False)
class Program:
    """Layers in order, over the graph's tensors and some more.

    states: tensor -> variable, of the tensors that are a variable's memory
    kept: tensor -> its place in C, of the tensors that lie neither in the arena nor with the caller
    """

    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    input: int
    output: int
    states: Mapping[int, int] = field(default_factory=dict)
    kept: Mapping[int, str] = field(default_factory=dict)
