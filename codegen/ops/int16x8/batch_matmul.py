# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL of 16-bit activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantize_multiplier
from codegen.kernels.round_exact import LARGEST_SCALE, LARGEST_SUM
from codegen.model.graph import Graph, Node
from codegen.ops import batch_matmul, bounds
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8 import arithmetic, weighted
from codegen.ops.int16x8.checks import LARGEST_INPUT

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Sums and scales that the arithmetic can do."""
    a, b, output = binary_tensors(graph, node)
    depth, _ = batch_matmul.depth_and_columns(b, turn=node.options["adj_y"])
    largest, ratio = depth * LARGEST_INPUT**2, batch_matmul.ratio_of(a, b, output)
    most = min(LARGEST_SCALE / 2, bounds.LARGEST / largest)
    if largest >= LARGEST_SUM:
        yield Fault(f"a sum may reach {largest}; the operator is defined below 2^47", bounds.SCALES)
    elif not ratio <= most:
        what = "the ratio of its operands' scales to its output's"
        yield Fault(f"{what} is {ratio:.3g}; results stay within 32 bits up to {most:.3g}", bounds.SCALES)


def lower(lowering: Lowering, node: Node) -> None:
    """batch_matmul_16x8."""
    first, second, output = binary_tensors(lowering.graph, node)
    found = batch_matmul.product_of(lowering.graph, node)
    by = quantize_multiplier(batch_matmul.ratio_of(first, second, output))
    value, shift = weighted.upper(by)
    lowering.add(
        node,
        "matmul",
        type="batch_matmul_16x8",
        fields=[*found.fields, ("scaling", f"{{0, {value}, {shift}}}")],
        inputs=(found.a.tensor.index, found.b.tensor.index),
        macs=output.size * found.depth,
        note=found.note,
    )


FAMILIES = (
    Family(
        ("BATCH_MATMUL",),
        (counts(2, 2), arithmetic.check_types, batch_matmul.check_shapes, check_scales),
        lower,
    ),
)
