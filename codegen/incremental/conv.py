# SPDX-License-Identifier: Apache-2.0
"""Convolutions over a few rows, with the tables after them, in the form of the stream kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen.kernels.channels import Ints, folded_bias
from codegen.kernels.layer import Array, Layer
from codegen.kernels.lowering import Table, compose
from codegen.kernels.packing.conv import Channels, stream_array
from codegen.kernels.requantize import Multiplier, activation_range, channel_multipliers, quantization
from codegen.model.graph import Tensor
from codegen.ops.conv_2d import Axis, window_axes

KERNEL = "stream_conv_2d"


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution that the stream kernel computes exactly.

    layer: as lowered, for any input; output: after the tables that follow it
    kernel: [channels, rows, columns, depth]; rows, columns: its windows
    biases, multipliers: one a channel; zero: point of the output, and 128 more before a table
    keeps_negative: values below the zero point are kept; table: [1 or channels, 256], or None
    """

    layer: Layer
    output: int
    kernel: Ints
    rows: Axis
    columns: Axis
    biases: tuple[int, ...]
    multipliers: tuple[Multiplier, ...]
    zero: int
    keeps_negative: bool
    table: Table | None

    @property
    def channels(self) -> int:
        """Of the output."""
        return len(self.kernel)

    @property
    def pitch(self) -> int:
        """Values that the kernel writes a position."""
        return self.channels + self.channels % 2

    @property
    def reach(self) -> int:
        """Columns of a window."""
        return (self.columns.kernel - 1) * self.columns.dilation + 1


def convolution(tensors: Sequence[Tensor], layer: Layer, tables: Sequence[Layer]) -> Convolution:
    """A lowered convolution and the table layers after it. NotExactError where the kernel would not do."""
    node = layer.node
    source, weights, output = (tensors[index] for index in (*node.inputs[:2], node.outputs[0]))
    bias = tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] >= 0 else None
    assert weights.data is not None
    kernel = weights.data.astype(np.int64)
    if node.op == "DEPTHWISE_CONV_2D":  # of one input channel: lowered as a convolution
        kernel = kernel.transpose(3, 1, 2, 0)
    channels = len(kernel)
    rows, columns = window_axes(node, source.shape, (kernel.shape[1], kernel.shape[2]))
    zero_point = quantization(output).zero_point
    low, high = activation_range(output, node.options["fused_activation_function"])
    table = _after(low, high, [_table(made) for made in tables])
    found = Convolution(
        layer=layer,
        output=tables[-1].output if tables else layer.output,
        kernel=kernel,
        rows=rows,
        columns=columns,
        biases=tuple(folded_bias(kernel.reshape(channels, -1), bias, quantization(source).zero_point)),
        multipliers=tuple(channel_multipliers(source, weights, output, channels)),
        zero=zero_point + (128 if table is not None else 0),
        keeps_negative=low < zero_point,
        table=table,
    )
    stream_array(_channels(found, kernel.reshape(channels, -1)), found.zero, found.keeps_negative)
    return found


def fits(table: Layer, channels: int) -> bool:
    """The table layer has one table, or one a channel."""
    return channels % (len(_table(table))) == 0


def _table(layer: Layer) -> Table:
    (array,) = (array for array in layer.arrays if array.suffix == "table")
    return array.values.reshape(-1, 256)


def _after(low: int, high: int, tables: Sequence[Table]) -> Table | None:
    """What follows a saturated value: the clamp, then the tables; None where that is nothing."""
    if not tables and (low, high) == (-128, 127):
        return None
    whole: Table = np.clip(np.arange(-128, 128), low, high).reshape(1, 256)
    for table in tables:
        following = compose(whole, table)
        assert following is not None
        whole = following
    return whole


def _channels(conv: Convolution, taps: Ints) -> Channels:
    return Channels(taps, conv.biases, conv.multipliers)


def stream_rows(conv: Convolution, pitch: int) -> int:
    """Rows of its stream: those of its kernel, and what whole words need."""
    rows = conv.rows.kernel
    while rows * pitch % 2 or rows * pitch * conv.reach % 4:
        rows += 1
    return rows


def stream_layer(
    conv: Convolution, rows: int, pitch: int, *, oldest: int, output_stride: int, positions: int
) -> Layer:
    """The call of the kernel over rows of `pitch` values a column, side by side.

    oldest: which of the `rows` the kernel's first reads; output_stride: bytes from one position to the next
    """
    depth = conv.kernel.shape[3]
    taps = np.zeros((conv.channels, conv.reach, rows, pitch), np.int64)
    taps[:, :: conv.columns.dilation, oldest : oldest + conv.rows.kernel, :depth] = conv.kernel.transpose(
        0, 2, 1, 3
    )
    channels = _channels(conv, taps.reshape(conv.channels, -1))
    weights = stream_array(channels, conv.zero, conv.keeps_negative)
    arrays = [weights]
    step = 0
    if conv.table is not None:
        table = conv.table
        if len(table) > 1:
            table = np.tile(table, (conv.channels // len(table), 1))
            table = np.concatenate([table, table[-1:]]) if conv.channels % 2 else table
            step = 256
        note = f"lookup table of the fused activation{', channel by channel' if step else ''}"
        arrays.append(Array("table", "int8_t", table.reshape(-1), note))
    fields = (
        ("steps", str(-(-channels.taps.shape[1] // 4))),
        ("output_stride", str(output_stride)),
        ("weights", "weights"),
        ("end", f"weights + {len(weights.values)}"),
        ("table", "table" if conv.table is not None else "NULL"),
        ("table_step", str(step)),
        ("stride", str(2 * conv.columns.stride * rows * pitch)),
        ("columns", str(positions)),
        ("keeps_negative", str(int(conv.keeps_negative))),
    )
    return replace(
        conv.layer,
        kernel=KERNEL,
        type=KERNEL,
        fields=fields,
        arrays=tuple(arrays),
        output=conv.output,
        scratch=0,
    )
