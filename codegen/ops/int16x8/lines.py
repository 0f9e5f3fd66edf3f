# SPDX-License-Identifier: Apache-2.0
"""Functions of one 16-bit value by TFLite's tables of straight lines: GELU, EXP."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.requantize import clamp, quantization
from codegen.model.graph import Graph, Node
from codegen.ops import bounds, math_functions
from codegen.ops.checks import check_same_shape, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import check_unary
from codegen.ops.rows import elementwise
from codegen.ops.unary import round_away

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

Real = np.float32 | np.float64

STEPS = 512  # of a table
LARGEST_EXPONENT = 88.0  # of which float32 holds the exponential
# Results in steps of the output, before they saturate: float32 holds them and their sums.
LARGEST_STEPS = 2.0**100


def line_table(
    function: Callable[[Real], Real], scale: Real, zero: int, unit: Real, real: type[Real]
) -> Ints:
    """[513]: each value less half of the line's error in its middle, in steps of the type `real`.

    scale, zero: of the argument, int16; unit: of the output, whose zero point is 0
    """
    first, last = scale * real(-32768 - zero), scale * real(32767 - zero)
    step = (last - first) / real(STEPS)
    scaling = real(65536) / (unit * real(32767) - unit * real(-32768))

    def rounded(value: Real) -> Real:
        return real(round_away(float(value)))

    found = []
    for i in range(STEPS):
        begin = first + real(i) * step
        value = rounded(function(begin) * scaling)
        middle = rounded((function(first + real(i + 1) * step) * scaling + value) / real(2))
        error = middle - rounded(function(begin + step / real(2)) * scaling)
        found.append(int(value - rounded(error / real(2))))
    found.append(int(rounded(function(last) * scaling)))
    return np.array([clamp(value, -32768, 32767) for value in found], np.int64)


def _function(node: Node) -> Callable[[float], float]:
    return math_functions.gelu_of(node) if node.op == "GELU" else math.exp


_LARGEST: Mapping[str, Callable[[float], float]] = {"GELU": lambda x: x, "EXP": math.exp}


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """Numbers that float32 holds, in which the table is filled."""
    input_, output = unary_tensors(graph, node)
    yield from check_same_shape(input_, output)
    largest = quantization(input_).scale * 32768
    if node.op == "EXP" and largest > LARGEST_EXPONENT:
        yield Fault(
            f"its input reaches {largest:.3g}; up to {LARGEST_EXPONENT:g} is possible",
            bounds.SCALES,
        )
    elif _LARGEST[node.op](largest) / quantization(output).scale > LARGEST_STEPS:
        yield Fault("its output's scale is too small for its input's", bounds.SCALES)


def lower(lowering: Lowering, node: Node) -> None:
    """function_16x8."""
    input_, output = unary_tensors(lowering.graph, node)
    function = _function(node)
    scale, unit = np.float32(quantization(input_).scale), np.float32(quantization(output).scale)
    with np.errstate(over="ignore"):
        table = line_table(lambda x: np.float32(function(float(x))), scale, 0, unit, np.float32)
    lowering.add(
        node,
        node.op.lower(),
        type="function_16x8",
        fields=[("table", "table"), ("count", str(output.size))],
        arrays=(Array("table", "int16_t", table, "at 513 places, straight lines between them"),),
        in_place=(node.inputs[0],),
    )


FAMILIES = (Family(tuple(_LARGEST), (counts(1, 1), check_unary, check_ends), lower, elementwise),)
