# SPDX-License-Identifier: Apache-2.0
"""Functions of one 8-bit value: activations and changes of scale. All are tables of 256 bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.fixed_point import ONE, exp_negative, one_minus_over_one_plus, one_over_one_plus
from codegen.kernels.requantize import (
    Multiplier,
    clamp,
    float32,
    multiply,
    quantization,
    quantize_multiplier,
    rounding_shift,
)
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import check_computed, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import elementwise

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

BYTES = ("int8", "uint8")
INTEGER_BITS = 4  # of the argument of logistic and tanh in fixed point, Q4.27

Function = Callable[[int], int]  # of the input's number to the output's, before the clamp to its type
Make = Callable[[Node, Tensor, Tensor, Reference], Function]


def round_away(value: float) -> int:
    """Rounded to the nearest, halves away from zero."""
    whole = math.floor(abs(value))
    whole += abs(value) - whole >= 0.5
    return whole if value >= 0 else -whole


def real_function(function: Callable[[float], float], input_: Tensor, output: Tensor) -> Function:
    """A function of reals in float32 steps, as LiteRT fills its tables."""
    scale = np.float32(quantization(input_).scale)
    inverse = np.float32(1) / np.float32(quantization(output).scale)
    zero_in, zero_out = quantization(input_).zero_point, quantization(output).zero_point

    def level(x: int) -> int:
        value = np.float32(function(float(scale * np.float32(x - zero_in))))
        steps = float(value * inverse)
        if not abs(steps) < 1 << 31:
            return -(1 << 31)  # what the conversion to an integer makes of infinity
        return int(np.float32(round_away(steps)) + np.float32(zero_out))

    return level


def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) with each step rounded to float32."""
    power = np.float32(math.exp(-x)) if x > -80 else np.float32(np.inf)
    return float(np.float32(1) / (np.float32(1) + power))


def fixed_function(function: Function, bits: int, input_: Tensor, zero: int) -> Function:
    """A function from Q4.27 to Q0.31 as TensorFlow Lite Micro computes it; bits: of the output's fraction."""
    scale, zero_point = quantization(input_).scale, quantization(input_).zero_point
    real = scale * (1 << (31 - INTEGER_BITS))
    if real >= 1 << 31:  # every difference leads beyond what is distinguished
        return lambda x: 127 if x > zero_point else -128
    by = quantize_multiplier(real)
    radius = math.floor(((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS)) / 2.0**by.shift)

    def level(x: int) -> int:
        centred = x - zero_point
        if abs(centred) >= radius:
            return 127 if centred > 0 else -128
        return rounding_shift(function(multiply(centred, by)), 31 - bits) + zero

    return level


def _logistic_q(x: int) -> int:
    if x == 0:
        return 1 << 30
    positive = one_over_one_plus(exp_negative(-abs(x), INTEGER_BITS))
    return positive if x > 0 else ONE - positive


def _tanh_q(x: int) -> int:
    if x == 0:
        return 0
    positive = one_minus_over_one_plus(exp_negative(-abs(x), INTEGER_BITS + 1))
    return positive if x > 0 else -positive


def logistic(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """1 / (1 + exp(-x))."""
    del node
    if reference is Reference.TFLM:
        return fixed_function(_logistic_q, 8, input_, -128)
    return real_function(_sigmoid, input_, output)


def tanh(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """The hyperbolic tangent."""
    del node
    if reference is Reference.TFLM:
        return fixed_function(_tanh_q, 7, input_, 0)
    return real_function(math.tanh, input_, output)


def rescaled(real: float, input_: Tensor, output: Tensor) -> Function:
    """A change of scale by `real`."""
    by = quantize_multiplier(real)
    zero_in, zero_out = quantization(input_).zero_point, quantization(output).zero_point
    return lambda x: multiply(x - zero_in, by) + zero_out


def relu(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """Clamped to 0 .., 0 .. 6, -1 .. 1 or 0 .. 1, with a change of scale."""
    low, *highest = LIMITS[node.op]
    # TensorFlow Lite Micro's RELU6 passes the input's numbers on: no change of scale, limits of the input
    as_they_are = node.op == "RELU6" and reference is Reference.TFLM
    params = quantization(input_ if as_they_are else output)

    def limit(real: float) -> int:
        return params.zero_point + round_away(float(np.float32(real) / np.float32(params.scale)))

    least, most = max(-128, limit(low)), min([127, *map(limit, highest)])
    if as_they_are:
        return lambda x: clamp(x, least, most)
    plain = rescaled(float32(quantization(input_).scale / params.scale), input_, output)
    return lambda x: clamp(plain(x), least, most)


def leaky_slope(node: Node, input_: Tensor, output: Tensor) -> float:
    """What a value below 0 is multiplied by, in float32 steps."""
    slope = float32(quantization(input_).scale * float(node.options["alpha"]))
    return float32(slope / quantization(output).scale)


def leaky_relu(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """x, or alpha * x below 0."""
    del reference
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    alpha = leaky_slope(node, input_, output)
    identity = quantize_multiplier(float32(scale_in / scale_out))
    slope, sign = quantize_multiplier(abs(alpha)), -1 if alpha < 0 else 1
    zero_in, zero_out = quantization(input_).zero_point, quantization(output).zero_point

    def level(x: int) -> int:
        centred = x - zero_in
        value = multiply(centred, identity) if centred >= 0 else sign * multiply(centred, slope)
        return value + zero_out

    return level


def _multiplier16(by: Multiplier) -> int:
    """The upper 16 bits of a multiplier, rounded."""
    return 0x7FFF if by.value >= 0x7FFF8000 else (by.value + (1 << 15)) >> 16


def _saturate16(value: int) -> int:
    return clamp(value, -(1 << 15), (1 << 15) - 1)


def _high16(a: int, b: int) -> int:
    return _saturate16((a * b + (1 << 14)) >> 15)


def hard_swish_scales(input_: Tensor, output: Tensor) -> tuple[Multiplier, Multiplier]:
    """To the output's scale, and to the gate's, of an input with 7 more bits; in float32 steps."""
    fine = float32(quantization(input_).scale / 128)
    gate = float32(3 / 32768)
    return (
        quantize_multiplier(float32(fine / quantization(output).scale)),
        quantize_multiplier(float32(fine / gate)),
    )


def hard_swish(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """x * relu6(x + 3) / 6 in 16-bit fixed point."""
    del node, reference
    by_out, by_gate = hard_swish_scales(input_, output)
    zero_in, zero_out = quantization(input_).zero_point, quantization(output).zero_point
    out16, gate16 = _multiplier16(by_out), _multiplier16(by_gate)

    def level(x: int) -> int:
        fine = (x - zero_in) * 128
        gate = fine
        if by_gate.shift > 0:
            gate = _saturate16(gate << (by_gate.shift - 1))
        gate = _high16(gate, gate16)
        if by_gate.shift > 0:
            gate = _saturate16(gate << 1)
        if by_gate.shift < 0:
            gate = rounding_shift(gate, -by_gate.shift)
        gate = (gate + (1 << 15)) >> 1
        product = gate * _high16(fine, out16)
        toward_zero = abs(product) >> 15
        return rounding_shift(toward_zero if product >= 0 else -toward_zero, -by_out.shift) + zero_out

    return level


def requantize(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """Another scale, zero point or type."""
    del node, reference
    return rescaled(quantization(input_).scale / quantization(output).scale, input_, output)


FUNCTIONS: dict[str, Make] = {
    "LOGISTIC": logistic,
    "TANH": tanh,
    "RELU": relu,
    "RELU6": relu,
    "RELU_N1_TO_1": relu,
    "RELU_0_TO_1": relu,
    "LEAKY_RELU": leaky_relu,
    "HARD_SWISH": hard_swish,
    "QUANTIZE": requantize,
}
# Where a function clamps: from, and up to.
LIMITS: dict[str, tuple[float, ...]] = {
    "RELU": (0.0,),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0),
}
# The output's scale and zero point where the operator fixes them.
FIXED = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, each with one scale."""
    input_, output = unary_tensors(graph, node)
    for tensor, what in ((input_, "input"), (output, "output")):
        if tensor.dtype != "int8":
            yield Fault(f"its {what} is {tensor.dtype}; int8 is needed", AGAIN)
        elif tensor.quantization is None or len(tensor.quantization.scales) != 1:
            yield Fault(f"its {what} has no scale, or several", AGAIN)
        else:
            continue
        return


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """A computed input of the output's shape, and an output's scale where the operator fixes it."""
    input_, output = unary_tensors(graph, node)
    yield from check_computed(input_)
    yield from check_same_shape(input_, output)
    if node.op in FIXED and (quantization(output).scale, quantization(output).zero_point) != FIXED[node.op]:
        scale, zero_point = FIXED[node.op]
        yield Fault(f"its output must have scale 1/{round(1 / scale)} and zero point {zero_point}", AGAIN)
    yield from _check_scales(node, input_, output)


def _check_scales(node: Node, input_: Tensor, output: Tensor) -> Iterator[Fault]:
    """What the function's arithmetic can do."""
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    if node.op in ("LOGISTIC", "TANH"):
        # TensorFlow Lite Micro shifts 1 as far left in 64 bits
        yield from bounds.check_shift(
            scale_in * (1 << (31 - INTEGER_BITS)), 0, 62, "its input's scale times 2^27"
        )
    elif node.op == "HARD_SWISH":
        # the reference shifts 16-bit numbers
        yield from bounds.check_shift(scale_in * 256 / 3, -15, 15, "its input's scale times 256/3")
        ratio = scale_in / 128 / scale_out
        yield from bounds.check_shift(
            ratio, -15, 0, "a 128th of the ratio of its input's scale to its output's"
        )
        if ratio < 1 and quantize_multiplier(float32(float32(scale_in / 128) / scale_out)).shift > 0:
            yield Fault("its input's scale is over 128 times its output's", AGAIN)
    else:
        yield from bounds.check_ratio(float32(scale_in / scale_out), bounds.BYTE)
    if node.op == "LEAKY_RELU":
        alpha = leaky_slope(node, input_, output)
        yield from bounds.check_ratio(alpha, bounds.BYTE, "its slope times the ratio of its scales")
    for real in LIMITS.get(node.op, ()):
        yield from bounds.check_level(real, output, "its limit")
        if node.op == "RELU6":  # TensorFlow Lite Micro's limit
            yield from bounds.check_level(real, input_, "its limit")


def lower_table(lowering: Lowering, node: Node, functions: Mapping[str, Make]) -> None:
    """A table of the node's function."""
    input_, output = unary_tensors(lowering.graph, node)
    function = functions[node.op](node, input_, output, lowering.reference)
    limits = np.iinfo(output.dtype)
    inputs = np.arange(-128, 128).astype(np.int8).view(input_.dtype).tolist()
    values = [clamp(function(x), int(limits.min), int(limits.max)) for x in inputs]
    table = np.array(values, dtype=output.dtype).view(np.int8).astype(np.int64)
    lowering.table(node, input_.index, table.reshape(1, 256))


def lower(lowering: Lowering, node: Node) -> None:
    """A table."""
    lower_table(lowering, node, FUNCTIONS)


FAMILIES = (
    Family(
        tuple(op for op in FUNCTIONS if op != "QUANTIZE"),
        (counts(1, 1), check_types, check_ends),
        lower,
        elementwise,
    ),
)
