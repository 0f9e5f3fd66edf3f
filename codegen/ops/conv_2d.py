# SPDX-License-Identifier: Apache-2.0
"""CONV_2D: convolution over rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels import channels
from codegen.kernels.packing import conv as conv_words
from codegen.kernels.requantize import activation_range, channel_multipliers, quantization
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import fully_connected
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
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import NotIncrementalError, Read, Recipe, Sources, view_along

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


@dataclass(frozen=True)
class Axis:
    """A window along rows or columns. size: the input's; count: positions; before: padding in front."""

    size: int
    kernel: int
    stride: int
    dilation: int
    count: int
    before: int

    @property
    def padded(self) -> bool:
        """Some window leaves the input."""
        reach = (self.count - 1) * self.stride + (self.kernel - 1) * self.dilation + 1 - self.before
        return self.before > 0 or reach > self.size

    @property
    def taps_inside(self) -> int:
        """Of all windows together, those that lie in the input."""
        starts = range(-self.before, self.count * self.stride - self.before, self.stride)
        return sum(
            0 <= start + tap * self.dilation < self.size for start in starts for tap in range(self.kernel)
        )

    @property
    def inside(self) -> Axis:
        """Without the taps that leave the input, where the axis is one window and starts with the input."""
        first = -(-self.before // self.dilation)
        if self.count > 1 or first * self.dilation != self.before:
            return self
        end = min(self.kernel, first + -(-self.size // self.dilation))
        return replace(self, kernel=end - first, before=0)

    def within(self, whole: Axis) -> slice:
        """Its taps among those of the axis that it is the inside of."""
        first = -(-(whole.before - self.before) // self.dilation)
        return slice(first, first + self.kernel)


def window_axis(size: int, kernel: int, stride: int, dilation: int, padding: str) -> Axis:
    """TFLite's rule: SAME has ceil(size / stride) positions, odd padding after; VALID whole windows only."""
    span = (kernel - 1) * dilation + 1
    if padding == "valid":
        return Axis(size, kernel, stride, dilation, max(0, (size - span + stride) // stride), 0)
    count = -(-size // stride)
    return Axis(size, kernel, stride, dilation, count, max(0, (count - 1) * stride + span - size) // 2)


def window_axes(node: Node, shape: tuple[int, ...], kernel: tuple[int, int]) -> tuple[Axis, Axis]:
    """Rows and columns of a node with stride and padding over an input [1, rows, columns, depth].

    The option "part" is of a node that makes some rows of its output from some of its input: the rows it
    reads, the rows it makes, and the rows of padding before those that it reads.
    """
    options = node.options
    rows = window_axis(
        shape[1], kernel[0], options["stride_h"], options.get("dilation_h_factor", 1), options["padding"]
    )
    columns = window_axis(
        shape[2], kernel[1], options["stride_w"], options.get("dilation_w_factor", 1), options["padding"]
    )
    if "part" in options:
        size, count, before = options["part"]
        rows = replace(rows, size=size, count=count, before=before)
    return rows, columns


def check_window(
    node: Node, shape: tuple[int, ...], kernel: tuple[int, int], output: Tensor
) -> Iterator[Fault]:
    """Strides, dilations, and that the output has the shape that follows from them."""
    options = node.options
    for name in ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor"):
        if not 1 <= options.get(name, 1) <= 65535:
            yield Fault(f"{name} is {options[name]}; 1 to 65535 is allowed", AGAIN)
            return
    rows, columns = window_axes(node, shape, kernel)
    if output.shape[:3] != (shape[0], rows.count, columns.count):
        yield Fault(
            f"its output is {list(output.shape)}, but {rows.count} x {columns.count} positions follow",
            AGAIN,
        )


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, constant weights [depth, rows, columns, input depth], groups parted."""
    input_, weights, _, output = weighted_tensors(graph, node)
    yield from check_int8_ends(input_, output, rank=4)
    yield from check_activation(node)
    yield from check_rank(weights, "weights", 4)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Weights, bias and output that fit the input and each other."""
    _, weights, bias, _ = weighted_tensors(graph, node)
    yield from check_geometry(graph, node)
    yield from check_bias(bias, weights.shape[0])


def check_geometry(graph: Graph, node: Node) -> Iterator[Fault]:
    """The same without the bias."""
    input_, weights, _, output = weighted_tensors(graph, node)
    depth, kernel_rows, kernel_columns, input_depth = weights.shape
    yield from check_weights(weights, depth, axis=0)
    if input_depth != input_.shape[3]:
        yield Fault(
            f"{depth} filters of {input_depth} channels make no groups of its {input_.shape[3]} channels",
            AGAIN,
        )
    if output.shape[3] != depth:
        yield Fault(f"{depth} filters make {output.shape[3]} channels", AGAIN)
    yield from check_window(node, input_.shape, (kernel_rows, kernel_columns), output)


def lower(lowering: Lowering, node: Node) -> None:
    """A convolution with the weights as they lie in the file."""
    input_, weights, bias, output = weighted_tensors(lowering.graph, node)
    assert weights.data is not None
    lower_convolution(lowering, node, (input_, bias, output), weights, weights.data.astype(np.int64))


def lower_convolution(
    lowering: Lowering,
    node: Node,
    tensors: tuple[Tensor, Tensor | None, Tensor],
    weights: Tensor,
    values: channels.Ints,
) -> None:
    """conv_2d; pointwise_conv_2d where every position reads the channels of one; a dense layer of one window.

    tensors: input, bias, output; values: of the weights as [depth, rows, columns, input depth]
    """
    input_, bias, output = tensors
    depth, kernel_rows, kernel_columns, _ = values.shape
    rows, columns = window_axes(node, input_.shape, (kernel_rows, kernel_columns))
    flat = values.reshape(depth, -1)
    low, high = activation_range(output, node.options["fused_activation_function"])
    zero_point = quantization(input_).zero_point
    scaling = channels.Scaling(
        biases=channels.folded_bias(flat, bias, zero_point),
        multipliers=channel_multipliers(input_, weights, output, depth),
        largest=channels.largest_sums(flat, bias, zero_point),
        zero_point=quantization(output).zero_point,
        low=low,
        high=high,
    )
    geometry = Geometry(rows, columns, input_.shape[3], depth)
    if geometry.is_dense:
        fully_connected.add(
            lowering,
            node,
            flat,
            form="twice" if scaling.general else "fast",
            scaling=[scaling.array()],
            zero_point=scaling.zero_point,
            limits=(low, high),
        )
        return
    if kernel_rows == kernel_columns == 1 and not rows.padded and not columns.padded:
        kernel, taps, own = "pointwise_conv_2d", conv_words.crossed(flat), geometry.pointwise()
        ring, in_place = 0, geometry.positions_in_place
    else:
        kernel, taps = "conv_2d", geometry.taps(values)
        own = [*geometry.windows(), ("zero_point", str(zero_point))]
        ring, in_place = geometry.ring, geometry.rows_in_place
    block = conv_words.block(taps, scaling)
    count = rows.count * columns.count
    spare = conv_words.POSITIONS * depth
    lowering.add(
        node,
        "conv",
        type=kernel,
        form=block.form,
        fields=[*((f"block.{name}", value) for name, value in block.fields), *own],
        arrays=block.arrays,
        in_place=[input_.index] if in_place else (),
        scratch=2 * conv_words.POSITIONS * taps.shape[1] + ring + spare,
        macs=count * flat.size,
        note=f"{kernel_rows} x {kernel_columns}",
        general=block.general,
    )
    if not block.general:
        lowering.clamp(node, low, high)


@dataclass(frozen=True)
class Geometry:
    """How the kernels walk over the input. depth: of the input; made: of the output."""

    rows: Axis
    columns: Axis
    depth: int
    made: int

    @property
    def run(self) -> int:
        """Consecutive values of a row of the kernel, without the one that makes them even."""
        return self.depth * (self.columns.kernel if self.columns.dilation == 1 else 1)

    @property
    def held(self) -> int:
        """Rows from the first to the last that a position reads."""
        return (self.rows.kernel - 1) * self.rows.dilation + 1

    @property
    def pitch(self) -> int:
        """Values of a row in the ring: with its padding, and one more where a last run is odd."""
        axis = self.columns
        reach = (axis.count - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1
        values = max(axis.before + axis.size, reach) * self.depth + self.run % 2
        return values + values % 2

    @property
    def ring(self) -> int:
        """Bytes of the ring, to a whole word."""
        return 2 * self.held * self.pitch

    @property
    def is_dense(self) -> bool:
        """One window, the whole input."""
        return all(
            axis.count == 1 and not axis.padded and axis.size == axis.kernel and axis.dilation == 1
            for axis in (self.rows, self.columns)
        )

    @property
    def rows_in_place(self) -> bool:
        """conv_2d: a block's outputs never reach a row of the input that is not widened yet."""
        line, made = self.columns.size * self.depth, self.columns.count * self.made
        for row in range(self.rows.count):
            widened = row * self.rows.stride - self.rows.before + self.held
            if widened < self.rows.size and (row + 1) * made > widened * line:
                return False
        return True

    @property
    def positions_in_place(self) -> bool:
        """pointwise_conv_2d: the outputs never reach a position of the input that is not widened yet."""
        rows, columns = self.rows, self.columns
        for row in range(rows.count):
            for column in {0, columns.count - 1}:  # what lies between follows from these
                made = (row * columns.count + column) * self.made
                read = (row * rows.stride * columns.size + column * columns.stride) * self.depth
                if made > read:
                    return False
        return True

    def taps(self, values: channels.Ints) -> channels.Ints:
        """Weights [depth, rows, columns, channels] in the order of conv_2d: run by run, filled with zeros."""
        runs = values.reshape(len(values), -1, self.run)
        filled = np.pad(runs, ((0, 0), (0, 0), (0, self.run % 2)))
        return conv_words.whole(filled.reshape(len(values), -1))

    def windows(self) -> list[tuple[str, str]]:
        """Fields of a conv_2d_t."""
        rows, columns = self.rows, self.columns
        run = self.run + self.run % 2
        step, run_step = columns.stride * self.depth, columns.dilation * self.depth
        runs = 1 if columns.dilation == 1 else columns.kernel
        aligned = run % 4 == 0 and step % 2 == 0 and (runs == 1 or run_step % 2 == 0)
        return [
            ("rows", str(rows.size)),
            ("columns", str(columns.size)),
            ("depth", str(self.depth)),
            ("out_rows", str(rows.count)),
            ("out_columns", str(columns.count)),
            ("kernel_rows", str(rows.kernel)),
            ("row_stride", str(rows.stride)),
            ("row_dilation", str(rows.dilation)),
            ("top", str(rows.before)),
            ("left", str(columns.before)),
            ("held", str(self.held)),
            ("pitch", str(self.pitch)),
            ("step", str(step)),
            ("runs", str(runs)),
            ("run", str(run)),
            ("run_step", str(run_step)),
            ("aligned", str(int(aligned))),
        ]

    def pointwise(self) -> list[tuple[str, str]]:
        """Fields of a pointwise_conv_2d_t. Rows that follow each other without a gap are one."""
        rows, columns = self.rows, self.columns
        joined = rows.stride == columns.stride == 1
        return [
            ("rows", "1" if joined else str(rows.count)),
            ("columns", str(rows.count * columns.count if joined else columns.count)),
            ("depth", str(self.depth)),
            ("row_step", str(rows.stride * columns.size * self.depth)),
            ("column_step", str(columns.stride * self.depth)),
        ]


# --- row by row ---

_SWAPPED = {
    "stride_h": "stride_w",
    "dilation_h_factor": "dilation_w_factor",
    "filter_height": "filter_width",
}


def window_rows(node: Node, sources: Sources) -> Recipe:
    """Any stride and padding, along time and across it."""
    source = sources.views[node.inputs[0]]
    shape = sources.tensors[source.tensor].shape
    if source.axis not in (1, 2) or len(shape) != 4:
        raise NotIncrementalError("time does not lie along the rows or columns of its input")
    pools = "filter_height" in node.options
    if pools:
        kernel = (node.options["filter_height"], node.options["filter_width"])
    else:
        _, *sizes, _ = sources.tensors[node.inputs[1]].shape
        kernel = (sizes[0], sizes[1])
    axes = window_axes(node, shape, kernel)
    time = axes[source.axis - 1]
    options, constants = dict(node.options), {}
    if source.axis == 2:
        for first, second in _SWAPPED.items():
            if first in options:
                options[first], options[second] = options[second], options[first]
        if not pools:
            weights = sources.tensors[node.inputs[1]].data
            assert weights is not None
            constants[1] = np.ascontiguousarray(weights.transpose(0, 2, 1, 3))
    span = (time.kernel - 1) * time.dilation + 1
    output = view_along(sources.output(node), source.axis)
    stride = time.stride if time.count > 1 else 1
    age = time.size + time.before - (time.count - 1) * stride - span
    return Recipe(node.op, output, {0: Read(age, span, stride)}, options, constants)


FAMILIES = (
    Family(
        ("CONV_2D",), (counts(2, 3), check_types, check_shapes, weighted_scales(axis=0)), lower, window_rows
    ),
)
