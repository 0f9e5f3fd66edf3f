# SPDX-License-Identifier: Apache-2.0
"""PRELU: values below zero times a slope, of the channel or of the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.common.reference import Reference
from codegen.kernels.requantize import clamp, float32, multiply, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import (
    check_shapes,
    check_types,
    lower_by_table,
    lower_elementwise,
    mul_multiplier,
    mul_ratio,
    pair_rows,
    scaling_fields,
)
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def _ratio_above(input_: Tensor, output: Tensor, reference: Reference) -> float:
    """From the input to the output: a float32, in TFLM a double."""
    ratio = quantization(input_).scale / quantization(output).scale
    return ratio if reference is Reference.TFLM else float32(ratio)


def check_slopes(graph: Graph, node: Node) -> Iterator[Fault]:
    """As many as there are values, or fewer."""
    input_, slope, output = binary_tensors(graph, node)
    if input_.shape != output.shape:
        yield Fault(f"its slopes are {list(slope.shape)}, more than its input {list(input_.shape)}", AGAIN)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    input_, slope, output = binary_tensors(graph, node)
    above = max(_ratio_above(input_, output, reference) for reference in Reference)
    yield from bounds.check_ratio(above, bounds.BYTE)
    below = max(mul_ratio(input_, slope, output, reference) for reference in Reference)
    what = "the ratio of its input's and its slopes' scale to its output's"
    yield from bounds.check_ratio(below, bounds.BYTE**2, what)


def lower(lowering: Lowering, node: Node) -> None:
    """Tables, or prelu."""
    input_, slope, output = binary_tensors(lowering.graph, node)
    above = quantize_multiplier(_ratio_above(input_, output, lowering.reference))
    below = mul_multiplier(input_, slope, output, lowering.reference)
    zero_in, zero_slope, zero = (quantization(tensor).zero_point for tensor in (input_, slope, output))

    def function(x: int, y: int) -> int:
        value, product = x - zero_in, (x - zero_in) * (y - zero_slope)
        value = multiply(value, above) if value >= 0 else multiply(product, below)
        return clamp(value + zero, -128, 127)

    if not lower_by_table(lowering, node, function):
        fields = [*scaling_fields(above, "_above"), *scaling_fields(below, "_below")]
        lower_elementwise(lowering, node, "prelu", fields)


_CHECKS = (counts(2, 2), check_types, check_shapes, check_slopes, check_scales)
FAMILIES = (Family(("PRELU",), _CHECKS, lower, pair_rows),)
