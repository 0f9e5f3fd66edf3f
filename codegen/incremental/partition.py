# SPDX-License-Identifier: Apache-2.0
"""The model in two parts along its layers: those that compute one row a frame, and the rest.

The rule of each operator (in codegen/ops) makes it an operator over a few rows, as long as all
that it reads slides. What it makes is one row. What it reads is the newest row of its input, or a window of
rows that has to be kept. The rest reads whole tensors, whose rows are all kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Layout
from codegen.incremental.rules import input_view, recipe
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.reshape import OPS
from codegen.ops.rows import ALL_TIME, NEWEST, NotIncrementalError, Read, Recipe, Sources, View

POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


@dataclass(frozen=True)
class Window:
    """Rows that a layer of the step reads. of: the model's tensor whose rows they are, Partition.owner."""

    of: int
    age: int
    count: int

    @property
    def reach(self) -> int:
        """Rows from its first to the newest of all."""
        return self.age + self.count


@dataclass(frozen=True, eq=False)
class Partition:
    """graph: the model's tensors and those of the step; its nodes are those of the step, then the rest.

    stepping: its nodes that one step of time computes
    views: of the tensors that slide
    rows: a tensor of the model that slides -> its newest row
    windows: tensors of the step that are kept rows
    whole: tensors of the model that the rest reads, made row by row
    histories: tensor that a dense layer of the rest reads -> the sliding tensor whose rows it is
    reasons: node -> why it is computed in full
    """

    graph: Graph
    stepping: tuple[Node, ...]
    views: dict[int, View]
    rows: dict[int, int]
    windows: dict[int, Window]
    whole: tuple[int, ...]
    histories: dict[int, int]
    reasons: dict[int, str]
    owners: dict[int, int]

    @property
    def frames(self) -> int:
        """Rows of the model's input."""
        return self.views[self.graph.inputs[0]].rows

    def first(self, tensor: int) -> int:
        """The frame of a full run, from 0, that makes a tensor's first row."""
        return self.frames - self.views[tensor].rows

    def owner(self, tensor: int) -> int:
        """The tensor whose rows are this one's: itself, or one under another shape."""
        return self.owners.get(tensor, tensor)


def partition(graph: Graph, frames: int, layout: Layout, serves: Callable[[Tensor], bool]) -> Partition:
    """The model over sliding frames. NotIncrementalError where its input's rows are not the frames.

    serves: whether the dense kernel over kept rows is exact with these weights
    """
    return _Partitioner(graph, input_view(graph.input, frames, layout)).partition(serves)


class _Partitioner:
    def __init__(self, graph: Graph, source: View) -> None:
        self.graph = graph
        self.tensors: list[Tensor] = list(graph.tensors)
        self._source = source.tensor
        self.views: dict[int, View] = {source.tensor: source}
        self.rows: dict[int, int] = {}
        self.windows: dict[int, Window] = {}
        self.reasons: dict[int, str] = {}
        self.owners: dict[int, int] = {}
        self.histories: dict[int, int] = {}
        self._kept: dict[tuple[int, Read], int] = {}
        self._makers = {output: node for node in graph.nodes for output in node.outputs}
        self.rows[source.tensor] = self._tensor(source.tensor, source.picture(1))

    def partition(self, serves: Callable[[Tensor], bool]) -> Partition:
        """Takes node after node."""
        steps: list[Node] = []
        rest: list[Node] = []
        for node in self.graph.nodes:
            try:
                steps.append(self._step(node))
            except NotIncrementalError as reason:
                self.reasons[node.index] = str(reason)
                rest.append(node)
        for node in [node for node in rest if node.op == "FULLY_CONNECTED"]:
            if serves(self.tensors[node.inputs[1]]):
                rest = self._from_history(node, rest)
        read = {index for node in rest for index in node.inputs} | set(self.graph.outputs)
        whole = tuple(index for index in self.views if index in read)
        turning = [self._turn(index) for index in whole if self.views[index].turned]
        if self._source in whole and self.views[self._source].turned:
            turning, rest = self._turned_input(turning, rest)
        return Partition(
            graph=replace(self.graph, tensors=tuple(self.tensors), nodes=(*steps, *turning, *rest)),
            stepping=tuple(steps),
            views=self.views,
            rows=self.rows,
            windows=self.windows,
            whole=whole,
            histories=self.histories,
            reasons=self.reasons,
            owners=self.owners,
        )

    def _from_history(self, node: Node, rest: list[Node]) -> list[Node]:
        """The rest with a dense layer that reads kept rows, where reshapes alone are between."""
        between: list[Node] = []
        tensor = node.inputs[0]
        while tensor not in self.views:
            maker = self._makers[tensor]
            readers = sum(tensor in reader.inputs for reader in self.graph.nodes)
            if maker.op not in OPS or readers != 1 or tensor in self.graph.outputs:
                return rest
            between.append(maker)
            tensor = maker.inputs[0]
        weights, size = self.tensors[node.inputs[1]], self.tensors[tensor].size
        if weights.shape[1] != size:
            return rest
        made = self._tensor(tensor, (1, size))
        self.histories[made] = tensor
        self.reasons[node.index] += ", from the kept rows"
        moved = replace(node, inputs=(made, *node.inputs[1:]))
        kept = [other for other in rest if all(other is not one for one in between)]
        return [moved if other is node else other for other in kept]

    def _step(self, node: Node) -> Node:
        """The node over a few rows."""
        found = recipe(node, Sources(self.tensors, self.views), self._makers)
        self._check_rows(node, found)
        (output,) = node.outputs
        self.views[output] = found.output
        source = self.views.get(node.inputs[0])
        if found.op == "RESHAPE" and found.reads[0] == NEWEST and source and source.rows == found.output.rows:
            self.owners[output] = self.owners.get(node.inputs[0], node.inputs[0])
        self.rows[output] = self._tensor(output, found.output.picture(1))
        inputs = [self._input(node, position, found) for position in _positions(node, found)]
        return replace(
            node, op=found.op, inputs=tuple(inputs), outputs=(self.rows[output],), options=found.options
        )

    def _check_rows(self, node: Node, found: Recipe) -> None:
        """Every row is right as soon as it is made, and the next frame makes the next one."""
        made = found.output.rows
        for position, read in found.reads.items():
            rows = self.views[node.inputs[position]].rows
            if read.age < 0 or read.start(rows, made) < 0:
                raise NotIncrementalError("it pads along time")
            if read.stride != 1:
                raise NotIncrementalError(f"it moves by {read.stride} rows along time")
            if found.op in POOLS and made == 1 and rows > 1:
                raise NotIncrementalError(ALL_TIME)

    def _input(self, node: Node, position: int, found: Recipe) -> int:
        """The tensor of the step at an input."""
        values = found.constants.get(position)
        if values is not None:  # SLICE has fewer of them than the STRIDED_SLICE that it becomes
            return self._tensor(node.inputs[min(position, len(node.inputs) - 1)], values.shape, values)
        index = node.inputs[position]
        read = found.reads.get(position)
        if read is None:
            return index
        return self.rows[index] if read == NEWEST else self._window(index, read)

    def _window(self, tensor: int, read: Read) -> int:
        """The kept rows of a tensor, as one of the step."""
        if (tensor, read) not in self._kept:
            made = self._tensor(tensor, self.views[tensor].picture(read.count))
            self.windows[made] = Window(self.owners.get(tensor, tensor), read.age, read.count)
            self._kept[tensor, read] = made
        return self._kept[tensor, read]

    def _turn(self, index: int) -> Node:
        """Kept rows of time, a new tensor, to the picture that the rest reads."""
        view, tensor = self.views[index], self.tensors[index]
        assert view.axis is not None
        kept = self._tensor(index, (view.rows, *_without(tensor.shape, view.axis)))
        self.windows[kept] = Window(self.owners.get(index, index), 0, view.rows)
        order = list(range(1, len(tensor.shape)))
        order.insert(view.axis, 0)
        axes = self._tensor(index, (len(order),), np.array(order, np.int32))
        maker = self._makers.get(index)
        if maker is None:  # the model's input: told as of the first layer that reads it
            maker = next(node for node in self.graph.nodes if index in node.inputs)
        return Node(maker.index, "TRANSPOSE", (kept, axes), (index,))

    def _turned_input(self, turning: list[Node], rest: list[Node]) -> tuple[list[Node], list[Node]]:
        """The nodes, with a tensor of its own for the input's turned picture: a step is given one frame."""
        own = self._tensor(self._source, self.tensors[self._source].shape)

        def renamed(indices: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(own if index == self._source else index for index in indices)

        return (
            [replace(node, outputs=renamed(node.outputs)) for node in turning],
            [replace(node, inputs=renamed(node.inputs)) for node in rest],
        )

    def _tensor(self, like: int, shape: Sequence[int], values: NDArray[Any] | None = None) -> int:
        model = self.tensors[like]
        dtype = model.dtype if values is None else values.dtype.name
        made = replace(
            model, index=len(self.tensors), shape=tuple(int(size) for size in shape), dtype=dtype, data=values
        )
        self.tensors.append(made)
        return made.index


def _positions(node: Node, found: Recipe) -> range:
    """The inputs that the operator of the step has."""
    if found.op == "RESHAPE":
        return range(1)
    return range(max(len(node.inputs), *(position + 1 for position in found.constants), 1))


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
