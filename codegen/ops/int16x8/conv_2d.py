# SPDX-License-Identifier: Apache-2.0
"""CONV_2D and DEPTHWISE_CONV_2D with 16-bit activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.requantize import activation_range, channel_multipliers
from codegen.model.graph import Graph, Node
from codegen.ops import conv_2d, depthwise_conv_2d
from codegen.ops.checks import check_activation, check_rank, counts, weighted_tensors
from codegen.ops.conv_2d import Axis, window_axes, window_rows
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8 import weighted
from codegen.ops.int16x8.checks import check_bias, check_int16_ends, check_sums

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16 input and output, constant weights of four dimensions."""
    input_, weights, _, output = weighted_tensors(graph, node)
    yield from check_int16_ends(input_, output, rank=4)
    yield from check_activation(node)
    yield from check_rank(weights, "weights", 4)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Weights, bias and output that fit the input and each other."""
    _, weights, bias, _ = weighted_tensors(graph, node)
    depthwise = node.op == "DEPTHWISE_CONV_2D"
    yield from (depthwise_conv_2d if depthwise else conv_2d).check_geometry(graph, node)
    yield from check_bias(node, bias, weights.shape[3 if depthwise else 0])


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    _, _, bias, _ = weighted_tensors(graph, node)
    yield from check_sums(graph, node, weighted.sums_of(_flat(graph, node), bias).largest)


def _flat(graph: Graph, node: Node) -> Ints:
    """Weights as [channels of the output, taps]."""
    _, weights, _, _ = weighted_tensors(graph, node)
    assert weights.data is not None
    data = weights.data.astype(np.int64)
    if node.op == "DEPTHWISE_CONV_2D":
        data = np.moveaxis(data, 3, 0)
    return data.reshape(len(data), -1)


def _window(rows: Axis, columns: Axis) -> list[tuple[str, str]]:
    """Fields that both kernels have."""
    sizes = {
        "rows": rows.size,
        "columns": columns.size,
        "out_rows": rows.count,
        "out_columns": columns.count,
        "kernel_rows": rows.kernel,
        "kernel_columns": columns.kernel,
        "row_stride": rows.stride,
        "column_stride": columns.stride,
        "row_dilation": rows.dilation,
        "column_dilation": columns.dilation,
        "top": rows.before,
        "left": columns.before,
    }
    return [(name, str(value)) for name, value in sizes.items()]


def lower(lowering: Lowering, node: Node) -> None:
    """conv_2d_16x8 or depthwise_conv_2d_16x8; a depthwise one of one input channel is a convolution."""
    input_, weights, bias, output = weighted_tensors(lowering.graph, node)
    flat = _flat(lowering.graph, node)
    depthwise = node.op == "DEPTHWISE_CONV_2D" and input_.shape[3] > 1
    kernel = weights.shape[1], weights.shape[2]
    rows, columns = window_axes(node, input_.shape, kernel)
    low, high = activation_range(output, node.options["fused_activation_function"])
    sums = weighted.sums_of(flat, bias)
    by = channel_multipliers(input_, weights, output, len(flat))
    limits = [("low", str(low)), ("high", str(high))]
    macs, note = rows.count * columns.count * flat.size, f"{kernel[0]} x {kernel[1]}"
    if bias is not None and bias.dtype == "int32":
        form, scaling = "twice", weighted.twice(sums.biases, by)
    else:
        scaling = weighted.reduced(sums, by)
        form = "wide" if scaling.suffix == "wide" else ""
    fields = [*_window(rows, columns), ("depth", str(input_.shape[3])), *limits]
    fields += [("weights", "weights"), (scaling.suffix, scaling.suffix)]
    if depthwise:
        assert weights.data is not None
        taps = Array("weights", "int8_t", weights.data.astype(np.int64).reshape(-1), "tap by tap")
        lowering.add(
            node,
            "depthwise",
            type="depthwise_conv_2d_16x8",
            form=form,
            fields=[*fields, ("multiplier", str(len(flat) // input_.shape[3]))],
            arrays=(taps, scaling),
            scratch=12 * kernel[0] * kernel[1],
            macs=macs,
            note=note,
        )
        return
    lines = flat.reshape(len(flat), kernel[0], -1)  # of the kernel; an even number of values in each
    lines = np.pad(lines, ((0, 0), (0, 0), (0, lines.shape[2] % 2)))
    taps = weighted.words(lines.reshape(len(flat), -1))
    steps = -(-lines[0].size // weighted.TAPS)
    own = {"channel_count": len(flat), "steps": steps, "line": lines.shape[2]}
    lowering.add(
        node,
        "conv",
        type="conv_2d_16x8",
        form=form,
        fields=[*fields, *((name, str(value)) for name, value in own.items())],
        arrays=(taps, scaling),
        scratch=32 * steps,
        macs=macs,
        note=note,
    )


FAMILIES = (
    Family(
        ("CONV_2D", "DEPTHWISE_CONV_2D"),
        (counts(2, 3), check_types, check_shapes, check_scales),
        lower,
        window_rows,
    ),
)
