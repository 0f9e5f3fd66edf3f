# SPDX-License-Identifier: Apache-2.0
"""What lowering makes of a graph: kernel calls in order, with their constants; memory is not planned yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Node, Tensor

SIZES = {
    "int8_t": 1,
    "int16_t": 2,
    "uint16_t": 2,
    "int32_t": 4,
    "uint32_t": 4,
    "requantize_t": 16,
    "requantize_wide_t": 16,
    "requantize_16x8_t": 16,
    "requantize_exact_t": 24,
}


@dataclass(frozen=True)
class Group:
    """Words that belong together. of: what a comment before them says; parts: each on lines of its own"""

    of: str
    parts: tuple[int, ...]


def groups(what: str, each: int, count: int, parts: tuple[int, ...]) -> list[Group]:
    """`count` things, `each` of them a group: "channels 0, 1", "channels 2, 3" and so on."""
    found = []
    for first in range(0, count, each):
        last = min(first + each, count) - 1
        of = (
            f"{what}s {first}{', ' if last == first + 1 else ' .. '}{last}"
            if last > first
            else f"{what} {first}"
        )
        found.append(Group(of, parts))
    return found


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of one layer.

    suffix: the end of its C name, "weights"
    type: of an element: "int8_t", "requantize_t"
    values: [n], or [n, fields] where an element is a struct
    note: what it holds and in which order
    groups: of all the words, where they come in groups
    """

    suffix: str
    type: str
    values: NDArray[np.int64]
    note: str
    groups: Sequence[Group] = ()

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
    input_type: that the kernel reads its first input as, in C
    general: why a kernel for any numbers computes it, and not a faster one; "" where that does
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
    input_type: str = "int8_t"
    general: str = ""


@dataclass(frozen=True, eq=False)
class Program:
    """Layers in order, over the graph's tensors and some more.

    states: tensor -> variable, of the tensors that are a variable's memory
    outside: tensors that lie neither in the arena nor with the caller
    kept: tensor -> the channels that it has of the model's, where constants went away
    more_inputs, more_outputs: where the model has several, those after the first
    """

    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    input: int
    output: int
    states: Mapping[int, int] = field(default_factory=dict)
    outside: frozenset[int] = frozenset()
    kept: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)
    more_inputs: tuple[int, ...] = ()
    more_outputs: tuple[int, ...] = ()

    @property
    def ends(self) -> frozenset[int]:
        """Tensors that lie with the caller."""
        return frozenset((self.input, self.output, *self.more_inputs, *self.more_outputs))
