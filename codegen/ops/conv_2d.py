"""CONV_2D: convolution over rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codegen.graph import Graph, Node, Tensor
from codegen.ops import channels
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
from codegen.quantize import activation_range, channel_multipliers, quantization

if TYPE_CHECKING:
    from codegen.lower import Lowering


WINDOWS = 4  # gathered at a time by conv_2d_im2col


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
    yield from check_weights(weights, depth, axis=0)
    yield from check_bias(bias, depth)
    if input_depth != input_.shape[3]:
        yield Fault(
            f"it is a convolution in groups ({input_.shape[3]} channels in, {input_depth} a filter)",
            "use groups=1, or a DepthwiseConv2D",
        )
    if output.shape[3] != depth:
        yield Fault(f"{depth} filters make {output.shape[3]} channels", AGAIN)
    yield from check_window(node, input_.shape, (kernel_rows, kernel_columns), output)


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
    """conv_2d where every window is whole and its rows are whole words, else conv_2d_im2col.

    tensors: input, bias, output; values: of the weights as [depth, rows, columns, input depth]
    """
    input_, bias, output = tensors
    depth, kernel_rows, kernel_columns, input_depth = values.shape
    rows, columns = window_axes(node, input_.shape, (kernel_rows, kernel_columns))
    zero_point = quantization(input_).zero_point
    flat = values.reshape(depth, -1)
    products = flat.shape[1]
    low, high = activation_range(output, node.options["fused_activation_function"])
    scaling = channels.Scaling(
        biases=channels.folded_bias(flat, bias, zero_point),
        multipliers=channel_multipliers(input_, weights, output, depth),
        largest=channels.largest_sums(flat, bias, zero_point),
        zero_point=quantization(output).zero_point,
        low=low,
        high=high,
    )
    length = kernel_columns * input_depth
    direct = not rows.padded and not columns.padded and (columns.dilation == 1 or kernel_columns == 1)
    direct = direct and length % 4 == 0
    if direct:
        pitch = columns.size * input_depth
        window = (kernel_rows, length, rows.dilation * pitch)
        steps = (rows.stride * pitch, columns.stride * input_depth)
    else:
        length = products + -products % 4
        window, steps = (1, length, 0), (0, length)
    conv = [
        ("weights", "weights"),
        ("channels", "channels"),
        ("window", "{" + ", ".join(str(part) for part in window) + "}"),
        ("rows", str(rows.count)),
        ("columns", str(columns.count)),
        ("depth", str(depth)),
        ("row_step", str(steps[0])),
        ("column_step", str(steps[1])),
        ("zero_point", str(quantization(output).zero_point)),
        ("low", str(low)),
        ("high", str(high)),
    ]
    if not direct:
        conv = [(f"conv.{name}", value) for name, value in conv]
        conv += [
            ("rows", str(rows.size)),
            ("columns", str(columns.size)),
            ("depth", str(input_depth)),
            ("kernel_rows", str(kernel_rows)),
            ("kernel_columns", str(kernel_columns)),
            ("row_stride", str(rows.stride)),
            ("column_stride", str(columns.stride)),
            ("row_dilation", str(rows.dilation)),
            ("column_dilation", str(columns.dilation)),
            ("top", str(rows.before)),
            ("left", str(columns.before)),
            ("zero_point", str(zero_point)),
        ]
    lowering.add(
        node,
        "conv",
        type="conv_2d" if direct else "conv_2d_im2col",
        form="general" if scaling.general else "",
        fields=conv,
        arrays=(channels.pair_weights(flat), scaling.array()),
        scratch=0 if direct else WINDOWS * length,
        macs=rows.count * columns.count * depth * products,
        note=f"{kernel_rows} x {kernel_columns}",
    )


FAMILIES = (Family(("CONV_2D",), check, lower),)
