# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: each channel with its own taps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels import channels
from codegen.kernels.layer import Array
from codegen.kernels.packing import conv as conv_words
from codegen.kernels.packing.lanes import NotExactError
from codegen.kernels.requantize import activation_range, channel_multipliers, quantization
from codegen.model.graph import Graph, Node
from codegen.ops import conv_2d
from codegen.ops.checks import (
    check_activation,
    check_bias,
    check_int8_ends,
    check_rank,
    check_weights,
    counts,
    weighted_scales,
    weighted_tensors,
)
from codegen.ops.conv_2d import Axis, check_window, window_axes, window_rows
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, constant weights [1, rows, columns, depth]."""
    input_, weights, _, output = weighted_tensors(graph, node)
    yield from check_int8_ends(input_, output, rank=4)
    yield from check_activation(node)
    yield from check_rank(weights, "weights", 4)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Weights, bias and output that fit the input and each other."""
    input_, weights, bias, output = weighted_tensors(graph, node)
    first, kernel_rows, kernel_columns, depth = weights.shape
    yield from check_weights(weights, depth, axis=3)
    yield from check_bias(bias, depth)
    if first != 1 or depth % input_.shape[3] or output.shape[3] != depth:
        reported = f"weights {list(weights.shape)}, input {list(input_.shape)}, output {list(output.shape)}"
        yield Fault(f"{reported} do not fit together", AGAIN)
    yield from check_window(node, input_.shape, (kernel_rows, kernel_columns), output)


def lower(lowering: Lowering, node: Node) -> None:
    """depthwise_conv_2d; of one input channel it is a convolution, and that kernel computes it."""
    input_, weights, bias, output = weighted_tensors(lowering.graph, node)
    assert weights.data is not None
    _, kernel_rows, kernel_columns, depth = weights.shape
    data = weights.data.astype(np.int64)
    if input_.shape[3] == 1:
        conv_2d.lower_convolution(lowering, node, (input_, bias, output), weights, data.transpose(3, 1, 2, 0))
        return
    rows, columns = window_axes(node, input_.shape, (kernel_rows, kernel_columns))
    low, high = activation_range(output, node.options["fused_activation_function"])
    zero_point = quantization(input_).zero_point
    flat = data.reshape(-1, depth).T
    scaling = channels.Scaling(
        biases=channels.folded_bias(flat, bias, 0),
        multipliers=channel_multipliers(input_, weights, output, depth),
        largest=channels.largest_sums(flat, bias, zero_point),
        zero_point=quantization(output).zero_point,
        low=low,
        high=high,
    )
    geometry = Lines.best(rows, columns, depth)
    general = _not_three(rows, columns)
    if geometry is not None and depth == input_.shape[3]:
        lines_first = data[0].transpose(2, 0, 1) if geometry.along_rows else data[0].transpose(2, 1, 0)
        try:
            folded = replace(scaling, biases=channels.folded_bias(flat, bias, zero_point))
            words = conv_words.depthwise(lines_first, folded)
        except NotExactError as error:
            general = str(error)
        else:
            lowering.add(
                node,
                "depthwise",
                type="depthwise_3x3",
                form="apart" if geometry.along.stride == 2 else "",
                fields=[
                    ("words", "words"),
                    ("depth", str(depth)),
                    *geometry.fields(),
                    ("zero_point", str(zero_point)),
                    ("keeps_negative", str(int(scaling.zero_point > -128))),
                ],
                arrays=(words,),
                in_place=[input_.index] if input_.shape == output.shape else (),
                scratch=geometry.scratch,
                macs=rows.count * columns.count * depth * 9,
                note="3 x 3",
            )
            return
    order = "of each tap, all channels"
    lowering.add(
        node,
        "depthwise",
        type="depthwise_conv_2d",
        form="general" if scaling.general else "",
        fields=[
            ("weights", "weights"),
            ("channels", "channels"),
            ("rows", str(rows.size)),
            ("columns", str(columns.size)),
            ("depth", str(input_.shape[3])),
            ("out_rows", str(rows.count)),
            ("out_columns", str(columns.count)),
            ("multiplier", str(depth // input_.shape[3])),
            ("kernel_rows", str(kernel_rows)),
            ("kernel_columns", str(kernel_columns)),
            ("row_stride", str(rows.stride)),
            ("column_stride", str(columns.stride)),
            ("row_dilation", str(rows.dilation)),
            ("column_dilation", str(columns.dilation)),
            ("top", str(rows.before)),
            ("left", str(columns.before)),
            ("minus_zero", str(-zero_point)),
            ("zero_point", str(quantization(output).zero_point)),
            ("low", str(low)),
            ("high", str(high)),
        ],
        arrays=(Array("weights", "int8_t", data.reshape(-1), order), scaling.array()),
        macs=rows.count * columns.count * depth * kernel_rows * kernel_columns,
        note=f"{kernel_rows} x {kernel_columns}",
        general=general,
    )


def _not_three(rows: Axis, columns: Axis) -> str:
    """Why depthwise_3x3 does not serve these windows, or else these channels."""
    if (rows.kernel, columns.kernel) != (3, 3):
        return f"its kernel is {rows.kernel} x {columns.kernel}, not 3 x 3"
    if (rows.dilation, columns.dilation) != (1, 1):
        return f"its dilation is {rows.dilation} x {columns.dilation}"
    if min(rows.stride, columns.stride) > 2:
        return f"its stride is {rows.stride} x {columns.stride}"
    return "it makes several channels of one"


@dataclass(frozen=True)
class Lines:
    """A picture walked line by line. along: the axis of a line; across: from line to line."""

    across: Axis
    along: Axis
    depth: int
    along_rows: bool  # a line is a row of the picture

    @classmethod
    def best(cls, rows: Axis, columns: Axis, depth: int) -> Lines | None:
        """The way with fewer pairs of outputs; None where the kernel does not fit."""
        if any((axis.kernel, axis.dilation) != (3, 1) for axis in (rows, columns)):
            return None
        ways = [cls(rows, columns, depth, True), cls(columns, rows, depth, False)]
        ways = [way for way in ways if way.along.stride <= 2]
        return min(ways, key=lambda way: way.across.count * way.pairs, default=None)

    @property
    def pairs(self) -> int:
        """Of outputs in a line."""
        return -(-self.along.count // 2)

    @property
    def scratch(self) -> int:
        """Bytes of four channels' strips."""
        return 48 * (self.pairs * self.along.stride + 1)

    def fields(self) -> list[tuple[str, str]]:
        """Geometry of a depthwise_3x3_t."""
        across, along, depth = self.across, self.along, self.depth
        line, point = (along.size * depth, depth) if self.along_rows else (depth, across.size * depth)
        made_line, made_point = (
            (along.count * depth, depth) if self.along_rows else (depth, across.count * depth)
        )
        return [
            ("lines", str(across.size)),
            ("points", str(along.size)),
            ("line_step", str(line)),
            ("point_step", str(point)),
            ("made_lines", str(across.count)),
            ("made_points", str(along.count)),
            ("made_line_step", str(made_line)),
            ("made_point_step", str(made_point)),
            ("line_stride", str(across.stride)),
            ("lines_before", str(across.before)),
            ("points_before", str(along.before)),
        ]


FAMILIES = (
    Family(
        ("DEPTHWISE_CONV_2D",),
        (counts(2, 3), check_types, check_shapes, weighted_scales(axis=3)),
        lower,
        window_rows,
    ),
)
