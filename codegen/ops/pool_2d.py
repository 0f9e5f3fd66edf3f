"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import activation_range
from codegen.model.graph import Graph, Node
from codegen.ops import bounds
from codegen.ops.conv_2d import check_window, window_axes
from codegen.ops.family import (
    AGAIN,
    Family,
    Fault,
    check_activation,
    check_counts,
    check_int8,
    check_rank,
    operand,
    result,
)
from codegen.ops.movement import same_scale

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 of one scale, four dimensions, a window."""
    faults = list(check_counts(node, 1, 1))
    if faults:
        yield from faults
        return
    input_, output = operand(graph, node, 0), result(graph, node)
    assert input_ is not None
    faults += [*check_int8(input_, "input"), *check_int8(output, "output"), *check_activation(node)]
    faults += [*check_rank(input_, "input", 4), *check_rank(output, "output", 4)]
    kernel = (node.options["filter_height"], node.options["filter_width"])
    if min(kernel) < 1:
        faults.append(Fault(f"its window is {kernel[0]} x {kernel[1]}", AGAIN))
    if faults:
        yield from faults
        return
    if not same_scale(input_, output):
        yield Fault("its input and output have different scales or zero points", AGAIN)
    if input_.shape[3] != output.shape[3]:
        yield Fault(f"{input_.shape[3]} channels become {output.shape[3]}", AGAIN)
    yield from check_window(node, input_.shape, kernel, output)
    yield from bounds.check_range(output, node.options["fused_activation_function"])


def lower(lowering: Lowering, node: Node) -> None:
    """pool_2d_average or pool_2d_largest."""
    input_, output = operand(lowering.graph, node, 0), result(lowering.graph, node)
    assert input_ is not None
    kernel = (node.options["filter_height"], node.options["filter_width"])
    rows, columns = window_axes(node, input_.shape, kernel)
    low, high = activation_range(output, node.options["fused_activation_function"])
    lowering.add(
        node,
        "pool",
        type="pool_2d",
        form="average" if node.op == "AVERAGE_POOL_2D" else "largest",
        fields=[
            ("rows", str(rows.size)),
            ("columns", str(columns.size)),
            ("depth", str(input_.shape[3])),
            ("out_rows", str(rows.count)),
            ("out_columns", str(columns.count)),
            ("kernel_rows", str(kernel[0])),
            ("kernel_columns", str(kernel[1])),
            ("row_stride", str(rows.stride)),
            ("column_stride", str(columns.stride)),
            ("top", str(rows.before)),
            ("left", str(columns.before)),
            ("low", str(low)),
            ("high", str(high)),
        ],
        note=f"{kernel[0]} x {kernel[1]}",
    )


FAMILIES = (Family(("AVERAGE_POOL_2D", "MAX_POOL_2D"), check, lower),)
