# SPDX-License-Identifier: Apache-2.0
"""DIV, with broadcasting: values in proportion to their sum, or to the largest of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.fixed_point import one_over_one_plus
from codegen.kernels.layer import Array
from codegen.kernels.requantize import (
    activation_range,
    clamp,
    float32,
    high_multiply,
    quantization,
    quantize_multiplier,
    rounding_shift,
    wrap32,
)
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import check_shapes, check_types, lower_by_table, lower_elementwise, pair_rows
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

# Bits of the ratio of scales. Below 7 the references stop at some quotients that round to 0, and are 0 here;
# above 23 they stop at others.
LEAST_SHIFT, LARGEST_SHIFT = -23, 23


def _ratio(a: Tensor, b: Tensor, output: Tensor) -> float:
    """From the operands' quotient to the output, in float32 steps."""
    scale_a, scale_b, scale = (quantization(tensor).scale for tensor in (a, b, output))
    product = float32(scale_b * scale)
    return float32(scale_a / product) if product > 0 else float("inf")


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    a, b, output = binary_tensors(graph, node)
    yield from bounds.check_range(output, node.options["fused_activation_function"])
    what = "its first operand's scale over the product of the second's and its output's"
    yield from bounds.check_shift(_ratio(a, b, output), LEAST_SHIFT, LARGEST_SHIFT, what)


def check_divisor(graph: Graph, node: Node) -> Iterator[Fault]:
    """No constant divisor of 0."""
    divisor = binary_tensors(graph, node)[1]
    if divisor.data is not None and (divisor.data == quantization(divisor).zero_point).any():
        yield Fault("it divides by a constant that is 0 in its int8", "use a constant further from 0")


def inverse(divisor: int) -> tuple[int, int]:
    """2^bits / divisor in Q0.31, and these bits. divisor: from 1; 0 is taken for 1"""
    divisor = max(divisor, 1)
    bits = divisor.bit_length() - 1
    return one_over_one_plus((divisor << (31 - bits)) - (1 << 31)), bits


def headroom(value: int) -> int:
    """Bits by which an int32 can be shifted left."""
    return 31 - (value if value >= 0 else -value - 1).bit_length()


def lower(lowering: Lowering, node: Node) -> None:
    """Tables, or divide."""
    a, b, output = binary_tensors(lowering.graph, node)
    by = quantize_multiplier(_ratio(a, b, output))
    zero_a, zero_b, zero = (quantization(tensor).zero_point for tensor in (a, b, output))
    low, high = activation_range(output, node.options["fused_activation_function"])

    def function(x: int, y: int) -> int:
        dividend, divisor = x - zero_a, y - zero_b
        if divisor < 0:
            dividend, divisor = -dividend, -divisor
        factor, over = inverse(divisor)
        room = headroom(dividend)
        quotient = high_multiply(high_multiply(wrap32(dividend << room), factor), by.value)
        return clamp(rounding_shift(quotient, over + room - by.shift) + zero, low, high)

    if not lower_by_table(lowering, node, function):
        values = np.array([inverse(abs(y - zero_b))[0] for y in range(-128, 128)], np.int64)
        fields = [
            ("low", str(low)),
            ("high", str(high)),
            ("multiplier", str(by.value)),
            ("shift", str(by.shift)),
            ("inverse", "inverse"),
        ]
        table = Array("inverse", "int32_t", values, "of each divisor from -128 on, Q31")
        lower_elementwise(lowering, node, "divide", fields, arrays=(table,))


FAMILIES = (
    Family(
        ("DIV",),
        (counts(2, 2), check_types, check_shapes, check_scales, check_divisor),
        lower,
        pair_rows,
    ),
)
