# SPDX-License-Identifier: Apache-2.0
"""LOG_SOFTMAX over the last axis: what a classifier of PyTorch often ends in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.fixed_point import exp_negative
from codegen.kernels.layer import Array
from codegen.kernels.requantize import high_multiply, quantization, rounding_shift
from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_int8_ends, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import along_last_axis
from codegen.ops.softmax import INTEGER_BITS, check_depth, check_input_scale, input_multiplier

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

SCALE, ZERO_POINT = 1 / 16, 127  # of the output
LOWEST = -16 << (
    31 - INTEGER_BITS
)  # in Q5.26: from there on the output is the least, and exp() is 0 in Q12.19


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in and out."""
    yield from check_int8_ends(*unary_tensors(graph, node))


def check_ends(graph: Graph, node: Node) -> Iterator[Fault]:
    """The scale and zero point that the operator demands, and no more classes than it is defined for."""
    input_, output = unary_tensors(graph, node)
    if (quantization(output).scale, quantization(output).zero_point) != (SCALE, ZERO_POINT):
        yield Fault(f"its output must have scale 1/16 and zero point {ZERO_POINT}", AGAIN)
    yield from check_same_shape(input_, output)
    yield from check_depth(input_)
    yield from check_input_scale(quantization(input_).scale)


def lower(lowering: Lowering, node: Node) -> None:
    """log_softmax with a table of the exponentials."""
    input_, output = unary_tensors(lowering.graph, node)
    by = input_multiplier(quantization(input_).scale)
    differences = [high_multiply(-below << by.shift, by.value) for below in range(256)]
    counted = [value for value in differences if value >= LOWEST]
    values = [rounding_shift(exp_negative(value, INTEGER_BITS), 12) for value in counted]
    table = Array(
        "exponential", "int32_t", np.array(values, np.int64), "of each difference to the largest, Q12.19"
    )
    depth = output.shape[-1]
    lowering.add(
        node,
        "log_softmax",
        type="log_softmax",
        fields=[
            ("exponential", "exponential"),
            ("reach", str(len(values))),
            ("multiplier", str(by.value)),
            ("left", str(by.left)),
            ("rows", str(output.size // depth)),
            ("depth", str(depth)),
        ],
        arrays=(table,),
        in_place=(node.inputs[0],),
    )


FAMILIES = (Family(("LOG_SOFTMAX",), (counts(1, 1), check_types, check_ends), lower, along_last_axis),)
