# SPDX-License-Identifier: Apache-2.0
"""ELU: x, below 0 exp(x) - 1, a table of 256 bytes.

Below 0 LiteRT takes expm1 of a float32, TensorFlow Lite Micro exp, less 1: near 0 that loses digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.requantize import clamp
from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_int8_ends, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.rows import elementwise
from codegen.ops.unary import real_function

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, each with one scale."""
    yield from check_int8_ends(*unary_tensors(graph, node))


def _elu(x: float) -> float:
    return math.expm1(x) if x < 0 else x


def _elu_by_exp(x: float) -> float:
    return float(np.float32(math.exp(x)) - np.float32(1)) if x < 0 else x


def lower(lowering: Lowering, node: Node) -> None:
    """A table, filled in float32 steps as both references fill theirs."""
    input_, output = unary_tensors(lowering.graph, node)
    tflm = lowering.reference is Reference.TFLM
    level = real_function(_elu_by_exp if tflm else _elu, input_, output)
    values = [clamp(level(x), -128, 127) for x in range(-128, 128)]
    lowering.table(node, input_.index, np.array([values], np.int64))


FAMILIES = (Family(("ELU",), (counts(1, 1), check_types), lower, elementwise),)
