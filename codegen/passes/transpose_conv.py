# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV becomes a convolution and DEPTH_TO_SPACE, with the same sums.

With stride s the output's row o is the sum over the input's rows i and the taps t with i * s + t - p = o,
p being the padding. Of the rows o + p = q * s + r only the taps r, r + s, r + 2s ... meet an input row: they
are a filter of their own, over the rows q, q - 1, q - 2 ... So s * s filters for each channel, of as many
taps as the largest, compute s * s rows and columns at one position, and DEPTH_TO_SPACE puts these in place.
Nothing is multiplied by zeros between the rows, and all of it is done by kernels that are fast already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph, Node
from codegen.ops.transpose_conv import FAMILIES
from codegen.passes.made import Replacement

(FAMILY,) = FAMILIES


def transpose_convolutions_replaced(graph: Graph) -> Graph:
    """The same function. What no convolution computes stays, and its family says why."""
    for node in graph.nodes:
        if node.op == "TRANSPOSE_CONV" and not any(FAMILY.check(graph, node)):
            graph = _replaced(graph, node)
    return graph


class _Axis:
    """Rows or columns. size: of the input; made: of the output."""

    def __init__(self, size: int, made: int, taps: int, stride: int, padding: str) -> None:
        self.stride = stride
        over = (-(-made // stride) - 1) * stride + taps - made if padding == "same" else 0
        self.before = max(0, over) // 2  # rows cut off in front
        self.taps = -(-taps // stride)  # of each of the filters
        positions = (self.before + made - 1) // stride + 1
        self.margin = (self.taps - 1, max(0, positions - size))
        self.whole = (size + self.margin[1]) * stride  # rows before the cut


def _replaced(graph: Graph, node: Node) -> Graph:
    made = Replacement(graph, node)
    _, weights, input_ = (graph.tensors[index] for index in node.inputs[:3])
    output = graph.tensors[node.outputs[0]]
    rows, columns = (
        _Axis(size, count, taps, stride, node.options["padding"])
        for size, count, taps, stride in zip(
            input_.shape[1:3],
            output.shape[1:3],
            weights.shape[1:3],
            (node.options["stride_h"], node.options["stride_w"]),
            strict=True,
        )
    )
    name, current, depth = weights.name, input_.index, output.shape[3]
    shape = list(input_.shape)
    if any(rows.margin) or any(columns.margin):
        margins = [(0, 0), rows.margin, columns.margin, (0, 0)]
        shape = [size + sum(pair) for size, pair in zip(shape, margins, strict=True)]
        current = made.add("PAD", [current, made.numbers(f"{name}/padding", margins)], shape, current)
    operands = [current, *_filters(made, graph, node, rows, columns)]
    phases = rows.stride * columns.stride
    shape = [1, rows.whole // rows.stride, columns.whole // columns.stride, depth * phases]
    activation = node.options["fused_activation_function"]
    current = made.add(
        "CONV_2D",
        operands,
        shape,
        output.index,
        padding="valid",
        stride_h=1,
        stride_w=1,
        fused_activation_function=activation,
    )
    shape = [1, rows.whole, columns.whole, depth]
    if rows.stride == columns.stride and phases > 1:
        current = made.add("DEPTH_TO_SPACE", [current], shape, output.index, block_size=rows.stride)
    elif phases > 1:
        current = _unequal(made, current, rows, columns, depth)
    if (rows.whole, columns.whole) != output.shape[1:3]:
        begin = made.numbers(f"{name}/begin", [0, rows.before, columns.before, 0])
        size = made.numbers(f"{name}/size", list(output.shape))
        made.add("SLICE", [current, begin, size], output.shape, output.index)
    return made.graph()


def _filters(made: Replacement, graph: Graph, node: Node, rows: _Axis, columns: _Axis) -> list[int]:
    """Weights and bias of the convolution: for each row and column of a phase the output's channels."""
    weights = graph.tensors[node.inputs[1]]
    assert weights.data is not None
    assert weights.quantization is not None
    phases = rows.stride * columns.stride
    parts = [
        _phase(weights.data, (row, rows), (column, columns))
        for row in range(rows.stride)
        for column in range(columns.stride)
    ]
    every = [channel for _ in range(phases) for channel in range(weights.shape[0])]
    found = [made.constant(weights.name, np.concatenate(parts), weights.quantization.of_channels(every))]
    if len(node.inputs) == 4 and node.inputs[3] >= 0:
        bias = graph.tensors[node.inputs[3]]
        assert bias.data is not None
        found.append(made.channels(bias, bias.data.reshape(-1), every))
    return found


def _phase(values: NDArray[np.int8], row: tuple[int, _Axis], column: tuple[int, _Axis]) -> NDArray[np.int8]:
    """The taps that meet the input there, the last first; zeros where another phase has more."""
    part = values[:, row[0] :: row[1].stride, column[0] :: column[1].stride]
    missing = (row[1].taps - part.shape[1], column[1].taps - part.shape[2])
    part = np.pad(part, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))
    return part[:, ::-1, ::-1]


def _unequal(made: Replacement, current: int, rows: _Axis, columns: _Axis, depth: int) -> int:
    """DEPTH_TO_SPACE of blocks that are not square."""
    height, width = rows.whole // rows.stride, columns.whole // columns.stride
    if rows.stride > 1:
        parts = [1, height, width, rows.stride, columns.stride * depth]
        order = made.numbers("order", [0, 1, 3, 2, 4])
        current = made.add("RESHAPE", [current], parts, current, new_shape=())
        moved = [1, height, rows.stride, width, columns.stride * depth]
        current = made.add("TRANSPOSE", [current, order], moved, current)
    return made.add("RESHAPE", [current], [1, rows.whole, columns.whole, depth], current, new_shape=())
