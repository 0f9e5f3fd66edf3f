# SPDX-License-Identifier: Apache-2.0
"""How far the newest row of an operator's output reaches in time: the types of its rule, and rules in common.

A tensor slides when its row t + 1 becomes its row t as the cascade moves by one frame. A rule gives the
operator over a few rows: of each input the rows it reads, and its options and constants with time along the
rows of a picture. NotIncrementalError says why an operator has to be computed in full.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from codegen.model.graph import Node, Tensor

NO_RULE = "no rule computes this operator row by row"
ALL_TIME = "it reads all of time"


class NotIncrementalError(Exception):
    """Why a layer is computed in full."""


@dataclass(frozen=True)
class View:
    """A tensor of which row t + 1 becomes row t when the cascade slides by one frame.

    axis: of its shape, along time; None where only its flat values are rows one after the other
    rows: along time; columns, depth: of a row, the last axis innermost
    turned: its rows do not lie one after the other in memory
    """

    tensor: int
    axis: int | None
    rows: int
    columns: int
    depth: int
    turned: bool = False

    @property
    def size(self) -> int:
        """Values of a row."""
        return self.columns * self.depth

    def picture(self, rows: int) -> tuple[int, int, int, int]:
        """The shape of `rows` rows, time first, as a picture."""
        return (1, rows, self.columns, self.depth)


def row_axes(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    """Sizes of the other axes, without the batch in front."""
    return (*shape[min(axis, 1) : axis], *shape[axis + 1 :])


def view_along(tensor: Tensor, axis: int | None) -> View:
    """A tensor with time along `axis`. NotIncrementalError where that cannot be read from its shape."""
    if axis is None:
        raise NotIncrementalError("its rows cannot be read from its shape")
    rest = row_axes(tensor.shape, axis) or (1,)
    turned = math.prod(tensor.shape[:axis]) > 1
    return View(tensor.index, axis, tensor.shape[axis], math.prod(rest[:-1]), rest[-1], turned)


def view_flat(tensor: Tensor, rows: int) -> View:
    """A tensor whose values are `rows` rows one after the other, along an axis where its shape has one."""
    for axis, size in enumerate(tensor.shape):
        if size == rows:
            return view_along(tensor, axis)
        if size != 1:
            break
    return View(tensor.index, None, rows, 1, tensor.size // rows)


@dataclass(frozen=True)
class Read:
    """`count` rows for the newest row of the output, the last of them `age` rows before the newest.

    Negative ages are rows of padding after the newest. The row before reads `stride` rows further back.
    """

    age: int = 0
    count: int = 1
    stride: int = 1

    def start(self, read: int, made: int) -> int:
        """The first row that row 0 of `made` rows reads, of `read` rows; negative: rows of padding."""
        return read - self.age - self.count - (made - 1) * self.stride


NEWEST = Read()


@dataclass(frozen=True)
class Recipe:
    """An operator over a few rows.

    output: the whole output's view
    reads: input position -> rows; other inputs are constants
    constants: input position -> values that take the place of the model's
    """

    op: str
    output: View
    reads: Mapping[int, Read]
    options: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[int, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """The model's tensors, and the views of those that slide."""

    tensors: Sequence[Tensor]
    views: Mapping[int, View]

    def output(self, node: Node) -> Tensor:
        """The node's one output."""
        if len(node.outputs) != 1:
            raise NotIncrementalError("it has several outputs")
        return self.tensors[node.outputs[0]]


Rule = Callable[[Node, Sources], Recipe]


def elementwise(node: Node, sources: Sources) -> Recipe:
    """The rule of a function of one value: the newest row."""
    source = sources.views[node.inputs[0]]
    output = sources.output(node)
    made = view_flat(output, source.rows) if source.axis is None else view_along(output, source.axis)
    return Recipe(node.op, made, {0: NEWEST}, node.options)


def along_last_axis(node: Node, sources: Sources) -> Recipe:
    """The rule of a function of the values along the last axis, which each row passes alone."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    shape = sources.tensors[source.tensor].shape
    if source.axis is None or source.axis == len(shape) - 1:
        raise NotIncrementalError(ALL_TIME)
    axis = source.axis
    if len(output.shape) != len(shape):  # a dense layer drops the axes of 1 in front
        axis = 0
    if output.shape[axis] != source.rows or math.prod(row_axes(output.shape, axis)[:-1]) != source.columns:
        raise NotIncrementalError("its rows cannot be read from its shape")
    return Recipe(node.op, view_along(output, axis), {0: NEWEST}, node.options)
