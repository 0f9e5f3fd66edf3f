# SPDX-License-Identifier: Apache-2.0
"""PRELU: values below zero times a constant slope, of the channel or of the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.common.reference import Reference
from codegen.kernels.requantize import Multiplier, float32, multiply, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import (
    axes_field,
    check_shapes,
    check_types,
    lower_by_table,
    pair_rows,
    whole_operands,
)
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def _ratios(input_: Tensor, slope: Tensor, output: Tensor, reference: Reference) -> tuple[float, float]:
    """From the input to the output, and from its product with a slope; in float32 steps, TFLM in double."""
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    product = scale_in * quantization(slope).scale
    if reference is Reference.TFLM:
        return scale_in / scale_out, product / scale_out
    return float32(scale_in / scale_out), float32(float32(product) / scale_out)


def _multipliers(
    input_: Tensor, slope: Tensor, output: Tensor, reference: Reference
) -> tuple[Multiplier, Multiplier]:
    above, below = _ratios(input_, slope, output, reference)
    return quantize_multiplier(above), quantize_multiplier(below)


def check_slopes(graph: Graph, node: Node) -> Iterator[Fault]:
    """As many as there are values, or fewer."""
    input_, slope, output = binary_tensors(graph, node)
    if input_.shape != output.shape:
        yield Fault(f"its slopes are {list(slope.shape)}, more than its input {list(input_.shape)}", AGAIN)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    above, below = _ratios(*binary_tensors(graph, node), Reference.TFLM)
    yield from bounds.check_ratio(above, bounds.BYTE)
    what = "the ratio of its input's and its slopes' scale to its output's"
    yield from bounds.check_ratio(below, bounds.BYTE**2, what)


def lower(lowering: Lowering, node: Node) -> None:
    """Tables, or prelu."""
    input_, slope, output = binary_tensors(lowering.graph, node)
    above, below = _multipliers(input_, slope, output, lowering.reference)
    zero_in, zero_slope, zero = (quantization(tensor).zero_point for tensor in (input_, slope, output))

    def function(x: int, y: int) -> int:
        value, product = x - zero_in, (x - zero_in) * (y - zero_slope)
        value = multiply(value, above) if value >= 0 else multiply(product, below)
        return max(-128, min(127, value + zero))

    if lower_by_table(lowering, node, function):
        return
    lowering.add(
        node,
        "prelu",
        type="prelu",
        fields=[
            axes_field(input_, slope, output),
            ("zero_a", str(zero_in)),
            ("zero_b", str(zero_slope)),
            ("multiplier_above", str(above.value)),
            ("left_above", str(above.left)),
            ("right_above", str(above.right)),
            ("multiplier_below", str(below.value)),
            ("left_below", str(below.left)),
            ("right_below", str(below.right)),
            ("zero_point", str(zero)),
        ],
        inputs=(input_.index, slope.index),
        in_place=whole_operands(input_, slope, output),
    )


_CHECKS = (counts(2, 2), check_types, check_shapes, check_slopes, check_scales)
FAMILIES = (Family(("PRELU",), _CHECKS, lower, pair_rows),)
