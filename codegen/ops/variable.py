# SPDX-License-Identifier: Apache-2.0
"""READ_VARIABLE and ASSIGN_VARIABLE: state that lasts from one run to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import copy, indices

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """What is read or written has the variable's shape and type."""
    variable = graph.variables[node.options["variable"]]
    tensors = node.outputs if node.op == "READ_VARIABLE" else node.inputs
    if len(tensors) != 1:
        yield Fault(f"{len(node.inputs)} inputs and {len(node.outputs)} outputs", AGAIN)
        return
    tensor = graph.tensors[tensors[0]]
    if (tensor.shape, tensor.dtype) != (variable.shape, variable.dtype):
        found = f"{tensor.dtype}{list(tensor.shape)}"
        yield Fault(f"{found} does not fit the variable, {variable.dtype}{list(variable.shape)}", AGAIN)


def lower_read(lowering: Lowering, node: Node) -> None:
    """The variable itself, where nobody looks at what was read after it was assigned; else a copy of it."""
    variable, output = node.options["variable"], node.outputs[0]
    state = lowering.state(variable)
    assigned = _assigned_after(lowering.graph, node)
    if assigned and lowering.last_reader(output) > min(assigned):
        shape = lowering.graph.tensors[output].shape
        copy(lowering, node, (state, indices(shape)), (output, indices(shape)), stem="read")
    else:
        lowering.share(output, state)


def _assigned_after(graph: Graph, node: Node) -> list[int]:
    """The indices of later nodes that assign the node's variable."""
    return [
        other.index
        for other in graph.nodes
        if other.op == "ASSIGN_VARIABLE"
        and other.options["variable"] == node.options["variable"]
        and other.index > node.index
    ]


def lower_assign(lowering: Lowering, node: Node) -> None:
    """The value is made in the variable, where nobody reads the old one by then and no other comes after it;
    else it is copied there."""
    variable, value = node.options["variable"], node.inputs[0]
    state = lowering.state(variable)
    if lowering.root(value) == state:
        return
    if _assigned_after(lowering.graph, node) or not lowering.make_in(value, state):
        shape = lowering.graph.tensors[value].shape
        copy(lowering, node, (value, indices(shape)), (state, indices(shape)), stem="assign")


FAMILIES = (
    Family(("READ_VARIABLE",), (check,), lower_read),
    Family(("ASSIGN_VARIABLE",), (check,), lower_assign),
)
