# SPDX-License-Identifier: Apache-2.0
"""SELECT_V2 and SELECT: values of one operand or another, as a condition says. They keep their bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.model.graph import Graph, Node
from codegen.ops.arithmetic import RANK, joined, pair_rows
from codegen.ops.checks import check_int8, counts, present, result
from codegen.ops.comparison import check_truth
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """A computed condition, two operands of int8."""
    condition = present(graph, node, 0)
    yield from check_truth(condition, "condition")
    if condition.data is not None:
        yield Fault("its condition is constant", "multiply by a constant mask, or leave the operator away")
    for tensor, what in (
        (present(graph, node, 1), "first operand"),
        (present(graph, node, 2), "second operand"),
    ):
        yield from check_int8(tensor, what, constant=True)
    yield from check_int8(result(graph, node), "output")


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Operands that broadcast to the output's shape; of SELECT all are the same."""
    shapes = [present(graph, node, place).shape for place in range(3)]
    output, each = result(graph, node).shape, ", ".join(str(list(shape)) for shape in shapes)
    try:
        made = np.broadcast_shapes(*shapes)
    except ValueError:
        yield Fault(f"{each} do not broadcast", AGAIN)
        return
    if made != output or (node.op == "SELECT" and set(shapes) != {output}):
        yield Fault(f"its output is {list(output)}, its operands are {each}", AGAIN)
    elif len(joined(shapes, output)) > RANK:
        yield Fault(f"broadcasting {each} mixes too many axes", "reshape the operands")


def lower(lowering: Lowering, node: Node) -> None:
    """One call."""
    operands = [present(lowering.graph, node, place) for place in range(3)]
    output = result(lowering.graph, node)
    axes = joined([operand.shape for operand in operands], output.shape)
    axes = [(1, *(0,) * len(operands))] * (RANK - len(axes)) + axes
    sizes, *steps = ("{" + ", ".join(map(str, part)) + "}" for part in zip(*axes, strict=True))
    lowering.add(
        node,
        "select",
        type="select",
        form="each",
        fields=[("size", sizes), ("step", "{" + ", ".join(steps) + "}")],
        inputs=[operand.index for operand in operands],
        in_place=[one.index for one in operands if one.data is None and one.shape == output.shape],
    )


FAMILIES = (Family(("SELECT_V2", "SELECT"), (counts(3, 3), check_types, check_shapes), lower, pair_rows),)
