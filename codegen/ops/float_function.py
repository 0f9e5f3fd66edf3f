# SPDX-License-Identifier: Apache-2.0
"""A function that the file computes in float32 between layers of int8: a table of 256 bytes.

Where the converter has no int8 form of an operator it writes DEQUANTIZE, the operator in float, QUANTIZE. Of
one int8 that is a function of 256 values, worked out here in the reference's own float32 steps. No file has
the operator: codegen/passes/float_parts.py makes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.reference import Reference
from codegen.kernels.requantize import clamp, quantization
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import arithmetic
from codegen.ops.checks import check_int8, check_int8_ends, check_same_shape, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.rows import elementwise
from codegen.ops.unary import round_away

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

OP = "FLOAT_FUNCTION"
LARGEST = 2.0**30  # steps of an output that are converted to an int32, and have room for the zero point

Values = NDArray[np.float32]  # of each int8 from -128 on; of a constant one


@dataclass(frozen=True, eq=False)
class Real:
    """A float32 as a function of one int8.

    values: of each int8 from -128 on; ops: the operators that it takes, in the order of their first use
    """

    values: Values
    ops: tuple[str, ...] = ()


def _each(function: Callable[[float], float]) -> Callable[[Values], Values]:
    """A function of the C library, rounded to float32; outside its domain what C gives."""

    def value(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return -math.inf if x == 0 else math.nan

    return lambda values: np.array([value(float(x)) for x in values], np.float32)


def _power(base: Values, exponent: Values) -> Values:
    """pow of the C library, rounded to float32."""

    def value(x: float, y: float) -> float:
        try:
            return math.pow(x, y)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.inf if x == 0 else math.nan

    return np.array([value(float(x), float(y)) for x, y in np.broadcast(base, exponent)], np.float32)


def _logistic(values: Values) -> Values:
    return np.float32(1) / (np.float32(1) + _each(math.exp)(-values))


def _leaky_relu(values: Values, slope: np.float32) -> Values:
    return np.where(values >= 0, values, values * slope)


UNARY: Mapping[str, Callable[[Values], Values]] = {
    "ABS": np.abs,
    "CEIL": np.ceil,
    "COS": _each(math.cos),
    "ELU": lambda x: np.where(x < 0, _each(math.expm1)(np.minimum(x, np.float32(0))), x),
    "EXP": _each(math.exp),
    "FLOOR": np.floor,
    "LOG": _each(math.log),
    "LOGISTIC": _logistic,
    "NEG": np.negative,
    "RELU": lambda x: np.maximum(x, np.float32(0)),
    "RELU6": lambda x: np.clip(x, np.float32(0), np.float32(6)),
    "RELU_N1_TO_1": lambda x: np.clip(x, np.float32(-1), np.float32(1)),
    "ROUND": np.rint,
    "RSQRT": lambda x: np.reciprocal(np.sqrt(x)),
    "SIN": _each(math.sin),
    "SQRT": np.sqrt,
    "SQUARE": np.square,
    "TANH": _each(math.tanh),
}
# Of a float that follows from one int8: 1 where it is so, else 0.
COMPARISONS: Mapping[str, Callable[[Values, Values], NDArray[Any]]] = {
    "EQUAL": np.equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "NOT_EQUAL": np.not_equal,
}
BINARY: Mapping[str, Callable[[Values, Values], Values]] = {
    "ADD": np.add,
    **COMPARISONS,
    "DIV": np.divide,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
    "MUL": np.multiply,
    "POW": _power,
    "SQUARED_DIFFERENCE": lambda a, b: np.square(a - b),
    "SUB": np.subtract,
}
CHOICES = ("SELECT", "SELECT_V2")
KNOWN = frozenset((*UNARY, *BINARY, *CHOICES, "LEAKY_RELU"))


def is_known(node: Node) -> bool:
    """The node is an operator of float32 that can be worked out; a fused activation is none."""
    return node.op in KNOWN and node.options.get("fused_activation_function", "none") == "none"


def dequantized(tensor: Tensor) -> Real:
    """What DEQUANTIZE makes of each int8."""
    scale, zero_point = quantization(tensor).scale, quantization(tensor).zero_point
    return Real((scale * (np.arange(-128, 128) - zero_point).astype(np.float64)).astype(np.float32))


def applied(node: Node, operands: Sequence[Real | Values]) -> Real:
    """An operator that is_known(), of floats that follow from one int8 and of constants."""
    values = [one.values if isinstance(one, Real) else one for one in operands]
    with np.errstate(all="ignore"):
        if node.op == "LEAKY_RELU":
            found = _leaky_relu(values[0], np.float32(node.options["alpha"]))
        elif node.op in CHOICES:
            found = np.where(values[0] != 0, values[1], values[2])
        elif node.op in UNARY:
            found = UNARY[node.op](values[0])
        else:
            found = BINARY[node.op](*values)
    before = (op for one in operands if isinstance(one, Real) for op in one.ops)
    return Real(np.asarray(found, np.float32), tuple(dict.fromkeys((*before, node.op))))


def steps(real: Real, output: Tensor) -> NDArray[np.float64]:
    """The values in steps of the output, before they are rounded."""
    with np.errstate(all="ignore"):
        scaled = real.values / np.float32(quantization(output).scale)
    return scaled.astype(np.float64)


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output of one shape, each with one scale; or 0 and 1 as bool."""
    input_, output = unary_tensors(graph, node)
    if output.dtype == "bool":
        yield from check_int8(input_, "input")
    else:
        yield from check_int8_ends(input_, output)
    yield from check_same_shape(input_, output)


def check_values(graph: Graph, node: Node) -> Iterator[Fault]:
    """Numbers that an int32 holds. Of infinity a PC makes the least int32, a Cortex-M the nearest; with the
    zero point added, without regard to overflow, both become the same int8 on one side of 0."""
    input_, output = unary_tensors(graph, node)
    if output.dtype == "bool":
        return
    found = steps(node.options["real"], output)
    beyond = found <= -LARGEST if quantization(output).zero_point < 0 else found >= LARGEST
    wrong = np.flatnonzero((beyond | np.isnan(found)) & reachable(graph, input_.index))
    if wrong.size:
        at = int(wrong[0])
        real = quantization(input_).scale * (at - 128 - quantization(input_).zero_point)
        what = f"{', '.join(node.options['real'].ops)} in float gives {found[at]:.3g} steps of its output"
        yield Fault(
            f"{what} where its input is {real:.3g}",
            "keep its input where it is defined, e.g. by adding a constant before it",
        )


def _table(real: Real, output: Tensor) -> NDArray[np.int64]:
    """The output of each int8 from -128 on; of what is no number, which none reaches, the zero point."""
    zero_point = quantization(output).zero_point
    bounded = np.clip(np.nan_to_num(steps(real, output), nan=0.0), -LARGEST, LARGEST)
    return np.array([clamp(round_away(float(value)) + zero_point, -128, 127) for value in bounded], np.int64)


def reachable(graph: Graph, tensor: int) -> NDArray[np.bool_]:
    """Which int8 a tensor can have, from -128 on: no sum of an exponential and 1 is 0."""
    maker = next((node for node in graph.nodes if tensor in node.outputs), None)
    everything = np.ones(256, np.bool_)
    if maker is None:
        return everything
    output = graph.tensors[tensor]
    tables: list[NDArray[np.int64]] = []
    if maker.op == OP and output.dtype == "int8":
        source = maker.inputs[0]
        tables = [_table(maker.options["real"], output)]
    elif maker.op in ("ADD", "SUB", "MUL") and len(maker.inputs) == 2:
        a, b = (graph.tensors[index] for index in maker.inputs)
        constant, other = (a, b) if a.data is not None else (b, a)
        int8 = all(one.dtype == "int8" and one.quantization is not None for one in (a, b, output))
        if not int8 or constant.data is None or constant.size != 1 or other.data is not None:
            return everything
        source, held = other.index, int(constant.data.reshape(-1)[0])
        for reference in Reference:
            function = arithmetic.function_of(maker, a, b, output, reference)
            pairs = ((held, x) if constant is a else (x, held) for x in range(-128, 128))
            tables.append(np.array([function(*pair) for pair in pairs], np.int64))
    else:
        return everything
    found = np.zeros(256, np.bool_)
    for table in tables:
        found[table[reachable(graph, source)] + 128] = True
    return found


def lower(lowering: Lowering, node: Node) -> None:
    """A table."""
    input_, output = unary_tensors(lowering.graph, node)
    if output.dtype == "bool":
        lowering.table(node, input_.index, node.options["real"].values.astype(np.int64).reshape(1, -1))
        return
    lowering.table(node, input_.index, _table(node.options["real"], output).reshape(1, -1))


FAMILIES = (Family((OP,), (counts(1, 1), check_types, check_values), lower, elementwise),)
