# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: each channel with its own taps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.packing.lanes import NotExactError
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
from codegen.ops.conv_2d import check_window, window_axes, window_rows
from codegen.ops.depthwise_forms import Depthwise, why_general
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
    _, weights, bias, _ = weighted_tensors(graph, node)
    yield from check_geometry(graph, node)
    yield from check_bias(bias, weights.shape[3])


def check_geometry(graph: Graph, node: Node) -> Iterator[Fault]:
    """The same without the bias."""
    input_, weights, _, output = weighted_tensors(graph, node)
    first, kernel_rows, kernel_columns, depth = weights.shape
    yield from check_weights(weights, depth, axis=3)
    if first != 1 or depth % input_.shape[3] or output.shape[3] != depth:
        reported = f"weights {list(weights.shape)}, input {list(input_.shape)}, output {list(output.shape)}"
        yield Fault(f"{reported} do not fit together", AGAIN)
    yield from check_window(node, input_.shape, (kernel_rows, kernel_columns), output)


def lower(lowering: Lowering, node: Node) -> None:
    """The kernel that its windows suit; of one input channel it is a convolution, and that computes it."""
    input_, weights, bias, output = weighted_tensors(lowering.graph, node)
    assert weights.data is not None
    _, kernel_rows, kernel_columns, _ = weights.shape
    data = weights.data.astype(np.int64)
    if input_.shape[3] == 1:
        conv_2d.lower_convolution(lowering, node, (input_, bias, output), weights, data.transpose(3, 1, 2, 0))
        return
    rows, columns = window_axes(node, input_.shape, (kernel_rows, kernel_columns))
    layer = Depthwise(lowering, node, rows, columns)
    try:
        forms, reason = layer.quickest(), why_general(input_.shape[3])
    except NotExactError as error:
        forms, reason = [], str(error)
    for form in forms or [layer.general()]:
        lowering.add(
            node,
            "depthwise",
            type=form.type,
            form=form.form,
            fields=form.fields,
            arrays=form.arrays,
            in_place=[input_.index] if form.in_place else (),
            scratch=form.scratch,
            macs=rows.count * columns.count * data.size // max(len(forms), 1),
            note=f"{kernel_rows} x {kernel_columns}",
            general="" if forms else reason,
        )
    if forms:
        lowering.clamp(node, *layer.limits)


FAMILIES = (
    Family(
        ("DEPTHWISE_CONV_2D",),
        (counts(2, 3), check_types, check_shapes, weighted_scales(axis=3)),
        lower,
        window_rows,
    ),
)
