# SPDX-License-Identifier: Apache-2.0
"""Which rows of every tensor are what they were when the window slides.

A row of a tensor is inner where all that it depends on lies inside the window; then it depends on the frames
alone, not on where the window begins. Row r of a tensor whose rows are `stride` frames apart is row
r + k / stride of the window k frames before. Rows outside the inner ones depend on padding, which moves with
the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.app.spec import Layout
from codegen.incremental.rules import WIDER, input_view, recipe
from codegen.model.graph import Graph, Node
from codegen.ops.rows import NotIncrementalError, Recipe, Sources, View


@dataclass(frozen=True)
class Timeline:
    """rows: of the tensor; stride: frames from one to the next; first, end: the inner rows, end excluded."""

    rows: int
    stride: int
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class Timelines:
    """views, lines: of the tensors whose rows are known; recipes: node -> how it makes rows of them.

    reasons: node -> why its rows are not known
    """

    views: dict[int, View]
    lines: dict[int, Timeline]
    recipes: dict[int, Recipe]
    reasons: dict[int, str]

    def row_bytes(self, graph: Graph, tensor: int) -> int:
        """Bytes of a row of a tensor whose rows are known."""
        return self.views[tensor].size * np.dtype(graph.tensors[tensor].dtype).itemsize

    def start(self, node: Node, position: int) -> int:
        """The first row that the node's first row reads of an input; negative: rows of padding."""
        found = self.recipes[node.index]
        return found.reads[position].start(self.views[node.inputs[position]].rows, found.output.rows)


def timelines(graph: Graph, frames: int, layout: Layout) -> Timelines:
    """Of all tensors whose rows are known. NotIncrementalError where the input's are not the frames."""
    source = input_view(graph.input, frames, layout)
    if source.turned:
        raise NotIncrementalError("time lies along the columns of the picture")
    made = Timelines({source.tensor: source}, {source.tensor: Timeline(frames, 1, 0, frames)}, {}, {})
    makers = {output: node for node in graph.nodes for output in node.outputs}
    for node in graph.nodes:
        try:
            _take(graph, node, made, makers)
        except NotIncrementalError as reason:
            made.reasons[node.index] = str(reason)
    return made


def _take(graph: Graph, node: Node, made: Timelines, makers: dict[int, Node]) -> None:
    found = recipe(node, Sources(graph.tensors, made.views), makers, WIDER)
    if found.output.turned:
        raise NotIncrementalError("time lies along the columns of the picture")
    line = _line(node, found, made)
    made.recipes[node.index] = found
    made.views[node.outputs[0]] = found.output
    made.lines[node.outputs[0]] = line


def _line(node: Node, found: Recipe, made: Timelines) -> Timeline:
    rows = found.output.rows
    first, end = 0, rows
    strides = set()
    for position, read in found.reads.items():
        source = made.lines[node.inputs[position]]
        start = read.start(source.rows, rows)
        strides.add(source.stride * read.stride)
        first = max(first, -((start - source.first) // read.stride))
        end = min(end, (source.end - read.count - start) // read.stride + 1)
    if len(strides) != 1:
        raise NotIncrementalError("the rows of its operands are a different number of frames apart")
    return Timeline(rows, strides.pop(), min(first, rows), max(min(end, rows), 0))
