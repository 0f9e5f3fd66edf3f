# SPDX-License-Identifier: Apache-2.0
"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL: two int8 operands, with broadcasting; and what
becomes of their results: LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT. A result is a byte, 1 or 0.

The references bring both operands to one fixed-point scale before they compare them: values closer than a
256th are equal there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.layer import Array
from codegen.kernels.requantize import high_multiply, quantization, quantize_multiplier, rounding_shift
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.arithmetic import check_shapes, lower_by_table, lower_elementwise, pair_rows
from codegen.ops.checks import binary_tensors, check_int8, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import elementwise

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

SHIFT = 8  # bits of headroom the operands get before they are scaled

COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER": operator.gt,
    "GREATER_EQUAL": operator.ge,
    "LESS": operator.lt,
    "LESS_EQUAL": operator.le,
}
# operator -> the kernel's form, and whether it is negated
FORMS = {
    "EQUAL": ("equal", False),
    "NOT_EQUAL": ("equal", True),
    "LESS": ("less", False),
    "GREATER_EQUAL": ("less", True),
    "GREATER": ("greater", False),
    "LESS_EQUAL": ("greater", True),
}
LOGICAL = {"LOGICAL_AND": "smallest", "LOGICAL_OR": "largest"}  # -> the form of the kernel `extreme`


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """Two int8 operands, and a truth."""
    a, b, output = binary_tensors(graph, node)
    for tensor, what in ((a, "first operand"), (b, "second operand")):
        yield from check_int8(tensor, what, constant=True)
    yield from check_truth(output, "output")


def check_truth(tensor: Tensor, what: str) -> Iterator[Fault]:
    """A tensor of bool."""
    if tensor.dtype != "bool":
        yield Fault(f"its {what} is {tensor.dtype}; bool is needed", AGAIN)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the references' fixed point holds."""
    for tensor, what in zip(binary_tensors(graph, node), ("first", "second"), strict=False):
        scale = quantization(tensor).scale
        if not scale < 1 - 2.0**-32:  # rounded, it is a fraction below 1
            yield Fault(
                f"the scale of its {what} operand is {scale:.3g}; comparisons are defined below 1",
                "divide what is compared by a constant before it is compared",
            )


def compared(tensor: Tensor) -> list[int]:
    """What the references compare, of -128 .. 127."""
    by, zero_point = quantize_multiplier(quantization(tensor).scale), quantization(tensor).zero_point
    return [
        rounding_shift(high_multiply((value - zero_point) << SHIFT, by.value), by.right)
        for value in range(-128, 128)
    ]


def lower(lowering: Lowering, node: Node) -> None:
    """Tables where one operand is constant along the channels, else compare."""
    a, b, _ = binary_tensors(lowering.graph, node)
    of_a, of_b = compared(a), compared(b)

    def function(x: int, y: int) -> int:
        return int(COMPARED[node.op](of_a[x + 128], of_b[y + 128]))

    if lower_by_table(lowering, node, function):
        return
    form, negated = FORMS[node.op]
    every = sorted({*of_a, *of_b})
    ranks = [np.searchsorted(every, of) for of in (of_a, of_b)]
    note = "of -128 .. 127, among the values of both operands"
    names = ["rank_a", "rank_a" if np.array_equal(ranks[0], ranks[1]) else "rank_b"]
    arrays = [
        Array(name, "int16_t", rank.astype(np.int64), note)
        for name, rank in dict(zip(names, ranks, strict=True)).items()
    ]
    fields = [("rank_a", names[0]), ("rank_b", names[1]), ("negated", str(int(negated)))]
    lower_elementwise(lowering, node, "compare", fields, form=form, zeros=(), arrays=arrays)


def check_truths(graph: Graph, node: Node) -> Iterator[Fault]:
    """Computed truths in, one out."""
    for index in (*node.inputs, *node.outputs):
        tensor = graph.tensors[index]
        yield from check_truth(tensor, "output" if index in node.outputs else "input")
        if tensor.data is not None:
            yield Fault("an operand is constant", "leave the operator away")


def check_not(graph: Graph, node: Node) -> Iterator[Fault]:
    """One shape on both sides."""
    yield from check_same_shape(*unary_tensors(graph, node))


def lower_logical(lowering: Lowering, node: Node) -> None:
    """The smaller or the larger of two truths."""
    lower_elementwise(lowering, node, "extreme", (), form=LOGICAL[node.op], zeros=())


def lower_not(lowering: Lowering, node: Node) -> None:
    """A table."""
    lowering.table(node, node.inputs[0], (np.arange(-128, 128) == 0).astype(np.int64).reshape(1, 256))


FAMILIES = (
    Family(tuple(COMPARED), (counts(2, 2), check_types, check_shapes, check_scales), lower, pair_rows),
    Family(tuple(LOGICAL), (counts(2, 2), check_truths, check_shapes), lower_logical, pair_rows),
    Family(("LOGICAL_NOT",), (counts(1, 1), check_truths, check_not), lower_not, elementwise),
)
