# SPDX-License-Identifier: Apache-2.0
"""Functions of one 16-bit value: ABS, RELU, RELU6, LEAKY_RELU, LOGISTIC, TANH."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.requantize import Multiplier, float32, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds, unary
from codegen.ops.arithmetic import scaling_fields
from codegen.ops.checks import check_same_shape, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.arithmetic import power_of_two
from codegen.ops.int16x8.checks import AGAIN, check_unary
from codegen.ops.rows import elementwise

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

POINTS, POINTS_PER_UNIT = 256, 24  # of the table of the logistic function
STEPS_PER_UNIT = 3 * 4096  # of the argument before it is looked up
LARGEST_MULTIPLIER = (1 << 16) - 1  # of an int16, within 32 bits
# operator -> further bits of the argument, of scales that are powers of two
SHIFTS = {"LOGISTIC": (0,), "TANH": (0, 1)}
OUTPUT_SCALE = 1 / 32768


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """An output of the input's shape, and of the scale that the operator fixes."""
    input_, output = unary_tensors(graph, node)
    yield from check_same_shape(input_, output)
    if node.op in SHIFTS:
        if quantization(output).scale != OUTPUT_SCALE:
            yield Fault("its output must have the scale 1/32768", AGAIN)
        if _argument(node, input_)[0] > LARGEST_MULTIPLIER:
            yield Fault(
                f"its input's scale is {quantization(input_).scale:.3g}; up to "
                f"{LARGEST_MULTIPLIER / STEPS_PER_UNIT:.3g} is possible",
                bounds.SCALES,
            )
        return
    yield from bounds.check_ratio(_ratio(input_, output), bounds.WORD)
    if node.op == "LEAKY_RELU":
        slope = abs(unary.leaky_slope(node, input_, output))
        yield from bounds.check_ratio(slope, bounds.WORD, "its slope times the ratio of its scales")
    for real in unary.LIMITS.get(node.op, ()):
        for tensor in (output, input_):  # TensorFlow Lite Micro's RELU6 has the input's
            yield from bounds.check_level(real, tensor, "its limit")


def _ratio(input_: Tensor, output: Tensor) -> float:
    return float32(quantization(input_).scale / quantization(output).scale)


def _argument(node: Node, input_: Tensor) -> tuple[int, int]:
    """Multiplier and bits to the right that bring the input to steps of 1 / STEPS_PER_UNIT."""
    power = power_of_two(input_)
    if power is not None and power + 12 in SHIFTS[node.op]:  # steps of 1/4096, or twice that
        return 3 << (power + 12), 0
    multiplier, right = quantization(input_).scale * STEPS_PER_UNIT, 0
    while multiplier <= 32767 / 2 and right <= 30:
        multiplier, right = multiplier * 2, right + 1
    return int(multiplier), right


def logistic_table() -> Ints:
    """[256] in Q0.16: each value raised by half of what the line to the next one lacks in its middle, which
    makes the largest error of the lines least; the last is the largest there is."""

    def at(x: float) -> float:
        return 65536 / (1 + math.exp(-x / POINTS_PER_UNIT))

    found = [math.floor(at(i) + (at(i + 0.5) - (at(i) + at(i + 1)) / 2) / 2 + 0.5) for i in range(POINTS - 1)]
    return np.array([*found, 65535], np.int64)


def lower_sigmoid(lowering: Lowering, node: Node) -> None:
    """sigmoid_16x8."""
    input_, output = unary_tensors(lowering.graph, node)
    multiplier, right = _argument(node, input_)
    numbers = {"count": output.size, "multiplier": multiplier, "right": right}
    lowering.add(
        node,
        node.op.lower(),
        type="sigmoid_16x8",
        form=node.op.lower(),
        fields=[("table", "table"), *((name, str(value)) for name, value in numbers.items())],
        arrays=(Array("table", "uint16_t", logistic_table(), "1 / (1 + exp(-i / 24)), Q0.16"),),
        in_place=(node.inputs[0],),
    )


def lower_relu(lowering: Lowering, node: Node) -> None:
    """rescale, clamped. TensorFlow Lite Micro's RELU6 passes the input's numbers on."""
    input_, output = unary_tensors(lowering.graph, node)
    as_they_are = node.op == "RELU6" and lowering.reference is Reference.TFLM
    scale = np.float32(quantization(input_ if as_they_are else output).scale)
    low, *high = (unary.round_away(float(np.float32(real) / scale)) for real in unary.LIMITS[node.op])
    by = quantize_multiplier(1.0 if as_they_are else _ratio(input_, output))
    numbers = {"count": output.size, "zero_in": 0, "zero_out": 0}
    limits = {"low": max(-32768, low), "high": min([32767, *high])}
    lowering.add(
        node,
        node.op.lower(),
        type="rescale",
        form="int16_int16",
        fields=[
            *scaling_fields(by),
            *((name, str(value)) for name, value in (numbers | limits).items()),
        ],
        in_place=(node.inputs[0],),
    )


def lower_leaky_relu(lowering: Lowering, node: Node) -> None:
    """leaky_relu_16x8, whose slope of -1 makes an ABS."""
    input_, output = unary_tensors(lowering.graph, node)
    slope = -_ratio(input_, output) if node.op == "ABS" else unary.leaky_slope(node, input_, output)
    identity: Multiplier = quantize_multiplier(_ratio(input_, output))
    lowering.add(
        node,
        node.op.lower(),
        type="leaky_relu_16x8",
        fields=[
            ("count", str(output.size)),
            *scaling_fields(identity),
            *scaling_fields(quantize_multiplier(abs(slope)), "_below"),
            ("sign_below", "-1" if slope < 0 else "1"),
        ],
        in_place=(node.inputs[0],),
    )


CHECKS = (counts(1, 1), check_unary, check_ends)
FAMILIES = (
    Family(tuple(SHIFTS), CHECKS, lower_sigmoid, elementwise),
    Family(("RELU", "RELU6"), CHECKS, lower_relu, elementwise),
    Family(("ABS", "LEAKY_RELU"), CHECKS, lower_leaky_relu, elementwise),
)
