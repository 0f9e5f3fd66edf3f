# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX of 16-bit activations, over the last axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.requantize import float32, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import scaling_fields
from codegen.ops.checks import check_same_shape, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import AGAIN, check_unary
from codegen.ops.int16x8.lines import Real, line_table
from codegen.ops.rows import along_last_axis

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

LARGEST_DEPTH = 65535  # classes whose exponentials sum up within 31 bits
LEVELS = 65535  # from one end of a table to the other
LEAST = 10.0  # the table of the exponential begins at exp(-10)
TOLERANCE = 0.001  # of the output's scale, relative


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """The scale that the operator demands, and no more classes than it is defined for."""
    input_, output = unary_tensors(graph, node)
    if abs(quantization(output).scale * 32768 - 1) > TOLERANCE:
        yield Fault("its output must have the scale 1/32768", AGAIN)
    yield from check_same_shape(input_, output)
    if not input_.shape:
        yield Fault("its input is a single number, with no classes", AGAIN)
    elif input_.shape[-1] > LARGEST_DEPTH:
        yield Fault(f"{input_.shape[-1]} classes; {LARGEST_DEPTH} are possible", "use fewer classes")
    yield from bounds.check_ratio(_ratio(node, input_), bounds.WORD, "its beta times its input's scale")


def _ratio(node: Node, input_: Tensor, reference: Reference = Reference.LITERT) -> float:
    """From a difference of the input to the table's steps."""
    real = quantization(input_).scale * float(node.options["beta"])
    return (float32(real) if reference is Reference.LITERT else real) / (LEAST / LEVELS)


def _table(function: Callable[[Real], Real], zero: int, reach: float, real: type[Real]) -> Ints:
    """[513], in steps of the type `real`, to an output of -1 .. 1.

    zero: of -32768 .. 32767 the number at which the argument is 0; reach: of the argument over all of them
    """
    return line_table(function, real(reach) / real(LEVELS), zero, real(2.0) / real(LEVELS), real)


@lru_cache(maxsize=len(Reference))
def tables(reference: Reference) -> tuple[Ints, Ints]:
    """exp(x) over -10 .. 0 and 1 / (1 + x) over 0 .. 1, in Q0.15; TFLM computes them in float32."""
    real: type[Real] = np.float64 if reference is Reference.LITERT else np.float32

    def exponential(x: Real) -> Real:
        return real(math.exp(float(x)))

    def reciprocal(x: Real) -> Real:
        return real(1) / (real(1) + x)

    return _table(exponential, 32767, LEAST, real), _table(reciprocal, -32768, 1.0, real)


def lower(lowering: Lowering, node: Node) -> None:
    """softmax_16x8."""
    input_, output = unary_tensors(lowering.graph, node)
    depth = output.shape[-1]
    exponential, reciprocal = tables(lowering.reference)
    lowering.add(
        node,
        "softmax",
        type="softmax_16x8",
        fields=[
            ("exponential", "exponential"),
            ("reciprocal", "reciprocal"),
            *scaling_fields(quantize_multiplier(_ratio(node, input_, lowering.reference))),
            ("rows", str(output.size // depth)),
            ("depth", str(depth)),
        ],
        arrays=(
            Array("exponential", "int16_t", exponential, "exp(x) over -10 .. 0, Q0.15"),
            Array("reciprocal", "int16_t", reciprocal, "1 / (1 + x) over 0 .. 1, Q0.15"),
        ),
        in_place=(node.inputs[0],),
    )


FAMILIES = (Family(("SOFTMAX",), (counts(1, 1), check_unary, check_ends), lower, along_last_axis),)
