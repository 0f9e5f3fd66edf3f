# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN, SUM and REDUCE_MAX of 16-bit activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import activation_range, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node
from codegen.ops import bounds, mean, pool_2d, reduce
from codegen.ops.checks import check_activation, counts, unary_tensors
from codegen.ops.conv_2d import window_axes, window_rows
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import AGAIN, check_int16_ends, check_unary
from codegen.ops.rows import ALL_TIME

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

LARGEST_COUNT = (1 << 16) - 1  # values whose sum fits 32 bits


def check_pool(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16, four dimensions, a window."""
    yield from check_int16_ends(*unary_tensors(graph, node), rank=4)
    yield from check_activation(node)
    rows, columns = pool_2d.kernel_of(node)
    if min(rows, columns) < 1:
        yield Fault(f"its window is {rows} x {columns}", AGAIN)
    elif rows * columns > LARGEST_COUNT:
        yield Fault(f"its window is {rows} x {columns}; {LARGEST_COUNT} values are possible", AGAIN)


def lower_pool(lowering: Lowering, node: Node) -> None:
    """pool_2d_16x8."""
    input_, output = unary_tensors(lowering.graph, node)
    axes = window_axes(node, input_.shape, pool_2d.kernel_of(node))
    limits = activation_range(output, node.options["fused_activation_function"])
    form = "average" if node.op == "AVERAGE_POOL_2D" else "largest"
    pool_2d.add_pool(lowering, node, axes, input_.shape[3], limits, form=form, type="pool_2d_16x8")


def check_mean_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16 in and out, constant axes."""
    yield from check_unary(graph, node)
    yield from mean.check_axes(graph, node)


def check_mean_count(graph: Graph, node: Node) -> Iterator[Fault]:
    """What 32 bits can sum up and scale."""
    input_, output = unary_tensors(graph, node)
    count, word = input_.size // output.size, "sum up" if node.op == "SUM" else "average"
    if count > LARGEST_COUNT:
        yield Fault(f"it has to {word} more than {LARGEST_COUNT} values at once", f"{word} in two steps")
        return
    largest = bounds.WORD * (count if node.op == "SUM" else 1)
    yield from bounds.check_ratio(quantization(input_).scale / quantization(output).scale, largest)


def lower_mean(lowering: Lowering, node: Node) -> None:
    """mean_16x8; of a SUM with a multiplier that does not divide."""
    input_, output = unary_tensors(lowering.graph, node)
    taken = mean.blocks(lowering, node)
    if node.op == "SUM":
        by = quantize_multiplier(quantization(input_).scale / quantization(output).scale)
    else:
        by = mean.mean_multiplier(input_, output, taken.count)
    sizes = {"rows": taken.rows, "count": taken.count, "depth": taken.depth}
    scaling = {"multiplier": by.value, "left": by.left, "right": by.right}
    lowering.add(
        node,
        node.op.lower(),
        type="mean_16x8",
        inputs=(taken.source,),
        fields=[(name, str(value)) for name, value in (sizes | scaling).items()],
    )


def lower_largest(lowering: Lowering, node: Node) -> None:
    """pool_2d_16x8 over a column of the values that are taken together."""
    taken = mean.blocks(lowering, node)
    pool_2d.add_pool(
        lowering,
        node,
        reduce.window_of(taken),
        taken.depth,
        (-32768, 32767),
        form="largest",
        type="pool_2d_16x8",
        inputs=(taken.source,),
        output=node.outputs[0],
    )


FAMILIES = (
    Family(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D"),
        (counts(1, 1), check_pool, pool_2d.check_ends),
        lower_pool,
        window_rows,
    ),
    Family(
        ("MEAN", "SUM"),
        (counts(2, 2), check_mean_types, mean.check_shapes, check_mean_count),
        lower_mean,
        ALL_TIME,
    ),
    Family(
        ("REDUCE_MAX",),
        (counts(2, 2), check_mean_types, mean.check_shapes, reduce.check_scale),
        lower_largest,
        ALL_TIME,
    ),
)
