# SPDX-License-Identifier: Apache-2.0
"""SQUARED_DIFFERENCE, with broadcasting: the variance of a layer normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import clamp, multiply, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import (
    check_shapes,
    check_types,
    common_scale,
    lower_by_table,
    lower_elementwise,
    pair_rows,
    scaling_fields,
)
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

SHIFT = 7  # bits of headroom the operands get before they are scaled
LARGEST = (bounds.BYTE << SHIFT) ** 2  # of a square


def _ratio(twice: float, output: Tensor) -> float:
    """From the square of a difference to the output."""
    return twice * twice / ((1 << (2 * SHIFT)) * quantization(output).scale)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    a, b, output = binary_tensors(graph, node)
    twice, _, _ = common_scale(a, b)
    what = "the ratio of its operands' squared scale to its output's"
    yield from bounds.check_ratio(_ratio(twice, output), LARGEST, what)


def lower(lowering: Lowering, node: Node) -> None:
    """Tables, or squared_difference."""
    a, b, output = binary_tensors(lowering.graph, node)
    twice, by_a, by_b = common_scale(a, b)
    by = quantize_multiplier(_ratio(twice, output))
    zero_a, zero_b, zero = (quantization(tensor).zero_point for tensor in (a, b, output))

    def function(x: int, y: int) -> int:
        difference = multiply((x - zero_a) << SHIFT, by_a) - multiply((y - zero_b) << SHIFT, by_b)
        return clamp(multiply(difference * difference, by) + zero, -128, 127)

    if not lower_by_table(lowering, node, function):
        fields = [
            ("multiplier_a", str(by_a.value)),
            ("right_a", str(by_a.right)),
            ("multiplier_b", str(by_b.value)),
            ("right_b", str(by_b.right)),
            *scaling_fields(by),
        ]
        lower_elementwise(lowering, node, "squared_difference", fields)


FAMILIES = (
    Family(
        ("SQUARED_DIFFERENCE",), (counts(2, 2), check_types, check_shapes, check_scales), lower, pair_rows
    ),
)
