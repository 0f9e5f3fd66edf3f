"""CONV_2D: convolution over rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels import channels
from codegen.kernels.packing import conv as conv_words
from codegen.kernels.requantize import activation_range, channel_multipliers, quantization
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds, fully_connected
from codegen.ops.family import (
    AGAIN,
    Family,
    Fault,
    check_activation,
    check_bias,
    check_counts,
    check_int8,
    check_rank,
    check_weights,
    operand,
    result,
)

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


def window_axis(size: int, kernel: int, stride: int, dilation: int, padding: str) -> Axis:
    """TFLite's rule: SAME has ceil(size / stride) positions, odd padding behind; VALID whole windows only."""
    span = (kernel - 1) * dilation + 1
    if padding == "valid":
        return Axis(size, kernel, stride, dilation, max(0, (size - span + stride) // stride), 0)
    count = -(-size // stride)
    return Axis(size, kernel, stride, dilation, count, max(0, (count - 1) * stride + span - size) // 2)


def window_axes(node: Node, shape: tuple[int, ...], kernel: tuple[int, int]) -> tuple[Axis, Axis]:
    """Rows and columns of a node with stride and padding over an input [1, rows, columns, depth]."""
    options = node.options
    rows = window_axis(
        shape[1], kernel[0], options["stride_h"], options.get("dilation_h_factor", 1), options["padding"]
    )
    columns = window_axis(
        shape[2], kernel[1], options["stride_w"], options.get("dilation_w_factor", 1), options["padding"]
    )
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


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, constant weights [depth, rows, columns, input depth], no groups."""
    faults = list(check_counts(node, 2, 3))
    if faults:
        yield from faults
        return
    input_, weights, bias, output = _tensors(graph, node)
    faults += [*check_int8(input_, "input"), *check_int8(output, "output"), *check_activation(node)]
    faults += [
        *check_rank(input_, "input", 4),
        *check_rank(output, "output", 4),
        *check_rank(weights, "weights", 4),
    ]
    if faults:
        yield from faults
        return
    depth, kernel_rows, kernel_columns, input_depth = weights.shape
    yield from check_weighted(node, (input_, weights, bias, output), axis=0)
    if input_depth != input_.shape[3]:
        yield Fault(
            f"it is a convolution in groups ({input_.shape[3]} channels in, {input_depth} a filter)",
            "use groups=1, or a DepthwiseConv2D",
        )
    if output.shape[3] != depth:
        yield Fault(f"{depth} filters make {output.shape[3]} channels", AGAIN)
    yield from check_window(node, input_.shape, (kernel_rows, kernel_columns), output)


def check_weighted(
    node: Node, tensors: tuple[Tensor, Tensor, Tensor | None, Tensor], axis: int
) -> Iterator[Fault]:
    """Weights and bias, and that the scales let every sum become an output. axis: of the weights' channels"""
    input_, weights, bias, output = tensors
    count = weights.shape[axis]
    faults = [*check_weights(weights, count, axis), *check_bias(bias, count)]
    yield from faults or bounds.check_range(output, node.options["fused_activation_function"])
    if not faults:
        assert weights.data is not None
        flat = np.moveaxis(weights.data, axis, 0).astype(np.int64).reshape(count, -1)
        sums = channels.largest_sums(flat, bias, quantization(input_).zero_point)
        yield from bounds.check_channels(input_, weights, output, sums)


def _tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    input_, weights = operand(graph, node, 0), operand(graph, node, 1)
    assert input_ is not None  # check_counts
    assert weights is not None
    return input_, weights, operand(graph, node, 2), result(graph, node)


def lower(lowering: Lowering, node: Node) -> None:
    """A convolution with the weights as they lie in the file."""
    input_, weights, bias, output = _tensors(lowering.graph, node)
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
    form, block, arrays = conv_words.block(taps, scaling)
    count = rows.count * columns.count
    spare = conv_words.POSITIONS * depth
    lowering.add(
        node,
        "conv",
        type=kernel,
        form=form,
        fields=[*((f"block.{name}", value) for name, value in block), *own],
        arrays=arrays,
        in_place=[input_.index] if in_place else (),
        scratch=2 * conv_words.POSITIONS * taps.shape[1] + ring + spare,
        macs=count * flat.size,
        note=f"{kernel_rows} x {kernel_columns}",
    )


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


FAMILIES = (Family(("CONV_2D",), check, lower),)
