# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX over the last axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.fixed_point import exp_negative
from codegen.kernels.layer import Array
from codegen.kernels.requantize import Multiplier, high_multiply, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.checks import check_int8, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import along_last_axis

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

INTEGER_BITS = 5  # of the exponent's argument, Q5.26
TOLERANCE = {"int8": 0.0, "int16": 0.001}  # of the output's scale, relative
# Classes: more exponentials can overflow the sum in Q12.19. From a sum of 512 on the reference kernels ask
# for a shift by more than 31 bits and stop; here every share is 0 then, as it is to the nearest 1/256.
LARGEST_DEPTH = 4095


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in, int8 or int16 out."""
    input_, output = unary_tensors(graph, node)
    yield from check_int8(input_, "input")
    if output.dtype != "int16":
        yield from check_int8(output, "output")
    elif output.quantization is None or len(output.quantization.scales) != 1:
        yield Fault("its output has no scale", AGAIN)


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """The scale and zero point that the operator demands, and no more classes than it is defined for."""
    input_, output = unary_tensors(graph, node)
    steps, zero_point = (256, -128) if output.dtype == "int8" else (65536, -32768)
    if abs(quantization(output).scale * steps - 1) > TOLERANCE[output.dtype]:
        yield Fault(f"its output must have the scale 1/{steps}", AGAIN)
    if quantization(output).zero_point != zero_point:
        yield Fault(f"its output must have the zero point {zero_point}", AGAIN)
    yield from check_same_shape(input_, output)
    yield from check_depth(input_)
    yield from check_input_scale(quantization(input_).scale, float(node.options["beta"]))


def check_depth(input_: Tensor) -> Iterator[Fault]:
    """A last axis of as many classes as the sum of their exponentials can hold."""
    if not input_.shape:
        yield Fault("its input is a single number, with no classes", AGAIN)
    elif input_.shape[-1] > LARGEST_DEPTH:
        yield Fault(
            f"{input_.shape[-1]} classes; {LARGEST_DEPTH} are possible, with more its result is not defined",
            "leave the softmax away (the largest score is the same class), or use fewer classes",
        )


def check_input_scale(scale: float, beta: float = 1.0) -> Iterator[Fault]:
    """A scale that the exponent's fixed point resolves."""
    if not beta * scale * (1 << (31 - INTEGER_BITS)) > 1.0:
        yield Fault(
            "its beta times the input's scale is below 2^-26", "use beta = 1 and convert the model again"
        )


def input_multiplier(scale: float, beta: float = 1.0) -> Multiplier:
    """From differences of the input to the exponent's argument."""
    return quantize_multiplier(min(beta * scale * (1 << (31 - INTEGER_BITS)), (1 << 31) - 1.0))


def exponentials(scale: float, beta: float) -> list[int]:
    """exp(-d * scale * beta) in Q0.31 for the differences d = 0, 1, ... that are counted, at most 256."""
    by = input_multiplier(scale, beta)
    radius = math.floor(((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS)) / (1 << by.shift))
    return [
        exp_negative(high_multiply(-difference << by.shift, by.value), INTEGER_BITS)
        for difference in range(min(255, radius) + 1)
    ]


def lower(lowering: Lowering, node: Node) -> None:
    """softmax with a table of the exponentials."""
    input_, output = unary_tensors(lowering.graph, node)
    values = exponentials(quantization(input_).scale, float(node.options["beta"]))
    while len(values) > 1 and values[-1] == 0:
        values.pop()
    table = Array(
        "exponential", "int32_t", np.array(values, dtype=np.int64), "of each difference to the largest, Q31"
    )
    depth = output.shape[-1]
    lowering.add(
        node,
        "softmax",
        type="softmax",
        form="" if output.dtype == "int8" else "int16",
        fields=[
            ("exponential", "exponential"),
            ("reach", str(len(values))),
            ("rows", str(output.size // depth)),
            ("depth", str(depth)),
        ],
        arrays=(table,),
        in_place=(node.inputs[0],) if output.dtype == "int8" else (),
    )


FAMILIES = (Family(("SOFTMAX",), (counts(1, 1), check_types, check_ends), lower, along_last_axis),)
