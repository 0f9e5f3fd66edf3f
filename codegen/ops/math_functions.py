# SPDX-License-Identifier: Apache-2.0
"""ABS, EXP, GELU, RSQRT, SQRT of one int8: tables, as the activations are.

EXP and GELU are tables of the reference too, in float32 steps. ABS and RSQRT it computes in integers,
RSQRT by five steps of Newton's iteration in Q3.28; SQRT in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.fixed_point import shift_left
from codegen.kernels.requantize import (
    Multiplier,
    float32,
    high_multiply,
    multiply,
    quantization,
    quantize_multiplier,
    rounding_shift,
)
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import check_computed, check_same_shape, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.rows import elementwise
from codegen.ops.unary import Function, Make, check_types, lower_table, real_function

_FRACTION = 20  # bits that an inverse root keeps until it has its scale
_HALF_ROOT = round(math.sqrt(0.5) * (1 << 31))  # 1/sqrt(2) in Q0.31
_LARGEST_SCALE = 2.0**32  # of an input: float32 holds the third power of 255 times that
_POSITIVE = ("RSQRT", "SQRT")  # not defined below 0


def absolute(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """|x|, with a change of scale."""
    del node, reference
    scale, zero = quantization(input_).scale, quantization(input_).zero_point
    by = quantize_multiplier(float32(scale / quantization(output).scale))
    same, zero_out = scale == quantization(output).scale, quantization(output).zero_point
    return lambda x: (abs(x - zero) if same else multiply(abs(x - zero), by)) + zero_out


def inverse_root(value: int) -> Multiplier:
    """1/sqrt(value) in the reference's steps. value: from 1, below 2^29"""
    if value <= 1:
        return Multiplier((1 << 31) - 1, 0)
    pairs = (31 - value.bit_length()) // 2 - 1  # of bits, that the value is shifted left
    half = rounding_shift((value << (2 * pairs)) >> 1, 1)  # of what is in Q3.28 then
    x = 1 << 28
    for _ in range(5):
        cube = shift_left(high_multiply(high_multiply(x, x), x), 6)
        x = shift_left(high_multiply(3 << 27, x) - high_multiply(half, cube), 3)
    root, shift = high_multiply(x, _HALF_ROOT), 11 - pairs
    return Multiplier(root << max(-shift, 0), -max(shift, 0))


def rsqrt(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """1/sqrt(x); of 0 the largest value."""
    del node, reference
    by = _rsqrt_multiplier(input_, output)
    zero, zero_out = quantization(input_).zero_point, quantization(output).zero_point

    def level(x: int) -> int:
        if x == zero:
            return 127
        inverse = inverse_root(x - zero)
        fine = multiply(1, Multiplier(inverse.value, inverse.shift + _FRACTION))
        return multiply(fine, Multiplier(by.value, by.shift - _FRACTION)) + zero_out

    return level


def _rsqrt_multiplier(input_: Tensor, output: Tensor) -> Multiplier:
    """From 1/sqrt of an integer to the output: in float32 steps."""
    with np.errstate(over="ignore"):
        root = np.sqrt(np.float32(quantization(input_).scale)) * np.float32(quantization(output).scale)
    return quantize_multiplier(1 / float(root))


def _gelu(x: float) -> float:
    """x times the normal distribution's function."""
    scaled = np.float32(x) * np.float32(-math.sqrt(0.5))
    return float(np.float32(0.5) * np.float32(x) * np.float32(math.erfc(float(scaled))))


def _gelu_by_tanh(x: float) -> float:
    """Its approximation."""
    value = np.float32(x)
    inner = value + np.float32(0.044715) * value * value * value
    inner = np.float32(math.sqrt(2 / math.pi)) * inner
    return float(np.float32(0.5) * value * (np.float32(1) + np.float32(math.tanh(float(inner)))))


def sqrt(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """The root, cut off where other functions round."""
    del node, reference
    scale, scale_out = np.float32(quantization(input_).scale), np.float32(quantization(output).scale)
    zero, zero_out = quantization(input_).zero_point, quantization(output).zero_point
    return lambda x: int(np.sqrt(scale * np.float32(x - zero)) / scale_out) + zero_out


def gelu(node: Node, input_: Tensor, output: Tensor, reference: Reference) -> Function:
    """In the form that the file asks for."""
    del reference
    return real_function(gelu_of(node), input_, output)


def gelu_of(node: Node) -> Callable[[float], float]:
    """The same of a real, in float32 steps."""
    return _gelu_by_tanh if node.options["approximate"] else _gelu


def _made(function: Callable[[float], float]) -> Make:
    return lambda node, input_, output, reference: real_function(function, input_, output)


FUNCTIONS: Mapping[str, Make] = {
    "ABS": absolute,
    "EXP": _made(math.exp),
    "GELU": gelu,
    "RSQRT": rsqrt,
    "SQRT": sqrt,
}


def check_domain(graph: Graph, node: Node) -> Iterator[Fault]:
    """Inputs at which the function is defined, results that 32 bits hold."""
    input_, output = unary_tensors(graph, node)
    yield from check_computed(input_)
    yield from check_same_shape(input_, output)
    scale_in, zero = quantization(input_).scale, quantization(input_).zero_point
    scale_out = quantization(output).scale
    if node.op in _POSITIVE and zero != -128:
        yield Fault(
            f"its input may be negative (zero point {zero}), where {node.op} is not defined",
            "put a ReLU before it, and convert again with samples of real inputs",
        )
    elif node.op == "RSQRT":
        root = math.sqrt(scale_in) * scale_out
        # the reference shifts by FRACTION more, and 31 places right at most
        what = "1 by the root of its input's scale and by its output's"
        yield from bounds.check_shift(1 / root, _FRACTION - 31, 30, what)
    elif node.op == "ABS":
        yield from bounds.check_ratio(float32(scale_in / scale_out), bounds.BYTE)
    elif scale_out < np.finfo(np.float32).tiny:
        yield Fault(f"its output's scale is {scale_out:.3g}, which has no inverse", bounds.SCALES)
    elif scale_in > _LARGEST_SCALE:
        yield Fault(f"its input's scale is {scale_in:.3g}; up to 2^32 is possible", bounds.SCALES)
    else:
        yield from bounds.check_level(_largest(node, scale_in * (127 - zero)), output, "its largest result")


def _largest(node: Node, real: float) -> float:
    """Of a function that rises, at the largest input."""
    if node.op == "EXP":
        return math.exp(min(real, 700))
    return math.sqrt(real) if node.op == "SQRT" else real


FAMILIES = (
    Family(
        tuple(FUNCTIONS),
        (counts(1, 1), check_types, check_domain),
        lambda lowering, node: lower_table(lowering, node, FUNCTIONS),
        elementwise,
    ),
)
