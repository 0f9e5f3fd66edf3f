# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from codegen.kernels.requantize import activation_range
from codegen.model.graph import Graph, Node
from codegen.ops import bounds
from codegen.ops.checks import check_activation, check_int8_ends, check_same_scale, counts, unary_tensors
from codegen.ops.conv_2d import Axis, check_window, window_axes, window_rows
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8, four dimensions, a window."""
    input_, output = unary_tensors(graph, node)
    yield from check_int8_ends(input_, output, rank=4)
    yield from check_activation(node)
    kernel = kernel_of(node)
    if min(kernel) < 1:
        yield Fault(f"its window is {kernel[0]} x {kernel[1]}", AGAIN)


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """One scale, and the output that follows from the window."""
    input_, output = unary_tensors(graph, node)
    yield from check_same_scale(input_, output)
    if input_.shape[3] != output.shape[3]:
        yield Fault(f"{input_.shape[3]} channels become {output.shape[3]}", AGAIN)
    yield from check_window(node, input_.shape, kernel_of(node), output)
    yield from bounds.check_range(output, node.options["fused_activation_function"])


def kernel_of(node: Node) -> tuple[int, int]:
    """Rows and columns of the window."""
    return node.options["filter_height"], node.options["filter_width"]


def lower(lowering: Lowering, node: Node) -> None:
    """pool_2d_average or pool_2d_largest."""
    input_, output = unary_tensors(lowering.graph, node)
    kernel = kernel_of(node)
    axes = window_axes(node, input_.shape, kernel)
    limits = activation_range(output, node.options["fused_activation_function"])
    form = "average" if node.op == "AVERAGE_POOL_2D" else "largest"
    add_pool(lowering, node, axes, input_.shape[3], limits, form=form)


def add_pool(
    lowering: Lowering,
    node: Node,
    axes: tuple[Axis, Axis],
    depth: int,
    limits: tuple[int, int],
    *,
    form: str,
    inputs: Sequence[int] | None = None,
    output: int | None = None,
    type: str = "pool_2d",
) -> None:
    """One call of the kernel; inputs, output: as Lowering.add has them."""
    rows, columns = axes
    lowering.add(
        node,
        "pool",
        type=type,
        form=form,
        inputs=inputs,
        output=output,
        fields=[
            ("rows", str(rows.size)),
            ("columns", str(columns.size)),
            ("depth", str(depth)),
            ("out_rows", str(rows.count)),
            ("out_columns", str(columns.count)),
            ("kernel_rows", str(rows.kernel)),
            ("kernel_columns", str(columns.kernel)),
            ("row_stride", str(rows.stride)),
            ("column_stride", str(columns.stride)),
            ("top", str(rows.before)),
            ("left", str(columns.before)),
            ("low", str(limits[0])),
            ("high", str(limits[1])),
        ],
        note=f"{rows.kernel} x {columns.kernel}",
    )


FAMILIES = (
    Family(("AVERAGE_POOL_2D", "MAX_POOL_2D"), (counts(1, 1), check_types, check_ends), lower, window_rows),
)
