# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB, MUL, MAXIMUM, MINIMUM of 16-bit activations, with broadcasting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.requantize import (
    Multiplier,
    activation_range,
    float32,
    quantization,
    quantize_multiplier,
)
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import arithmetic, bounds
from codegen.ops.checks import binary_tensors, check_activation, counts
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import AGAIN, check_int16

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

SHIFT = 15  # bits of headroom the operands of a sum get before they are scaled
TOLERANCE = 1e-3  # of the binary logarithm of a scale that counts as a power of two
POWERS = "convert the model with a converter that does not write pot_scale_int16, or with full int8"


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """Two int16 operands."""
    a, b, output = binary_tensors(graph, node)
    for tensor, what in ((a, "first operand"), (b, "second operand"), (output, "output")):
        yield from check_int16(tensor, what, constant=True)
    if "fused_activation_function" in node.options:
        yield from check_activation(node)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    a, b, output = binary_tensors(graph, node)
    if node.op in arithmetic.EXTREMES:
        return
    yield from bounds.check_range(output, node.options["fused_activation_function"])
    if node.op == "MUL":
        what = "the ratio of its operands' scales to its output's"
        largest = max(arithmetic.mul_ratio(a, b, output, reference) for reference in Reference)
        yield from bounds.check_ratio(largest, 1 << 30, what)
        return
    shifts = _shifts(node, a, b, output)
    if shifts is not None:
        yield from _check_shifts(node, a, b, shifts)
    if _sum_ratio(a, b, output) >= 1:
        yield Fault("its operands' scale is over 2^14 times its output's", AGAIN)


def _check_shifts(node: Node, a: Tensor, b: Tensor, shifts: tuple[int, int]) -> Iterator[Fault]:
    """Of scales that are powers of two: what the reference kernel computes."""
    if max(shifts) > 0 or min(shifts) < -15 or 0 not in shifts:
        yield Fault(
            "its scales are powers of two, and an operand's is coarser than the output's, or both are finer",
            POWERS,
        )
    elif node.op == "ADD" and a.shape != b.shape:
        yield Fault(
            "its scales are powers of two, and its operands' shapes differ: not defined by TFLite", POWERS
        )


def _sum_ratio(a: Tensor, b: Tensor, output: Tensor) -> float:
    """From the common scale of two operands to the output."""
    twice, _, _ = arithmetic.common_scale(a, b)
    return twice / ((1 << SHIFT) * quantization(output).scale)


def power_of_two(tensor: Tensor) -> int | None:
    """The binary logarithm of a scale that is near enough a power of two."""
    found = float(np.float32(math.log(quantization(tensor).scale)) * np.float32(1 / math.log(2)))
    return round(found) if abs(found - round(found)) < TOLERANCE else None


def _shifts(node: Node, a: Tensor, b: Tensor, output: Tensor) -> tuple[int, int] | None:
    """Of both operands to the left, where all scales are powers of two and the file allows for it."""
    powers = [power_of_two(tensor) for tensor in (a, b, output)]
    first, second, third = powers
    if not node.options.get("pot_scale_int16", True) or first is None or second is None or third is None:
        return None
    return first - third, second - third


def _sum_multipliers(
    node: Node, tensors: tuple[Tensor, Tensor, Tensor], reference: Reference
) -> list[Multiplier]:
    """Of both operands to their common scale, and from there to the output. TFLM's SUB rounds to float32."""
    a, b, output = tensors
    twice, by_a, by_b = arithmetic.common_scale(a, b)
    if node.op == "SUB" and reference is Reference.TFLM:
        by_a, by_b = (quantize_multiplier(float32(quantization(of).scale / twice)) for of in (a, b))
        return [by_a, by_b, quantize_multiplier(float32(_sum_ratio(a, b, output)))]
    return [by_a, by_b, quantize_multiplier(_sum_ratio(a, b, output))]


def lower(lowering: Lowering, node: Node) -> None:
    """The kernel of that name. TensorFlow Lite Micro shifts no operand."""
    a, b, output = binary_tensors(lowering.graph, node)
    kernel, form = KERNELS[node.op]
    fields: list[tuple[str, str]] = []
    if node.op in ("ADD", "SUB"):
        shifts = _shifts(node, a, b, output)
        if shifts is None or lowering.reference is Reference.TFLM:
            scalings = _sum_multipliers(node, (a, b, output), lowering.reference)
            for name, by in zip(("a", "b", "output"), scalings, strict=True):
                fields += [(f"multiplier_{name}", str(by.value)), (f"right_{name}", str(by.right))]
        else:
            form = "_".join(word for word in ("shifted", form) if word)
            fields += [("right_a", str(-shifts[0])), ("right_b", str(-shifts[1]))]
    elif node.op == "MUL":
        fields += arithmetic.scaling_fields(arithmetic.mul_multiplier(a, b, output, lowering.reference))
    if node.op not in arithmetic.EXTREMES:
        low, high = activation_range(output, node.options["fused_activation_function"])
        fields += [("low", str(low)), ("high", str(high))]
    arithmetic.lower_elementwise(lowering, node, kernel, fields, form=form, zeros=())


KERNELS = {
    "ADD": ("add_16x8", ""),
    "SUB": ("add_16x8", "difference"),
    "MUL": ("multiply_16x8", ""),
    "MAXIMUM": ("extreme_16x8", "largest"),
    "MINIMUM": ("extreme_16x8", "smallest"),
}

FAMILIES = (
    Family(
        tuple(KERNELS),
        (counts(2, 2), check_types, arithmetic.check_shapes, check_scales),
        lower,
        arithmetic.pair_rows,
    ),
)
