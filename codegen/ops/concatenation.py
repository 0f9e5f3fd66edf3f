# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION and PACK: inputs copied into their parts of the output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph, Node
from codegen.ops.checks import operand, result, same_scale
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import check_moved, copy, indices
from codegen.ops.rows import NEWEST, NotIncrementalError, Recipe, Sources, view_along

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Inputs of one type and scale that fill the output along the axis."""
    output = result(graph, node)
    tensors = [operand(graph, node, position) for position in range(len(node.inputs))]
    if not tensors or len(node.outputs) != 1:
        yield Fault(f"{len(node.inputs)} inputs and {len(node.outputs)} outputs", AGAIN)
        return
    present = [tensor for tensor in tensors if tensor is not None]
    if len(present) != len(tensors):
        yield Fault("one of its inputs is left out", AGAIN)
        return
    if node.options.get("fused_activation_function", "none") != "none":
        yield Fault("it has a fused activation", "put the activation into a layer of its own")
    yield from check_moved(output)
    for tensor in present:
        if tensor.dtype != output.dtype:
            yield Fault(f"it joins {tensor.dtype} into {output.dtype}", AGAIN)
            return
        if node.op == "CONCATENATION" and not same_scale(tensor, output):
            yield Fault("its inputs and output have different scales or zero points", AGAIN)
            return
    try:
        shape = _joined(node, [np.empty(tensor.shape, np.int8) for tensor in present]).shape
    except ValueError:
        yield Fault(f"the shapes {[list(tensor.shape) for tensor in present]} do not fit", AGAIN)
        return
    if shape != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {list(shape)} follows", AGAIN)


def _joined(node: Node, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    axis = int(node.options["axis"])
    return np.concatenate(arrays, axis) if node.op == "CONCATENATION" else np.stack(arrays, axis)


def lower(lowering: Lowering, node: Node) -> None:
    """A copy from each input into its part of the output."""
    output = result(lowering.graph, node)
    places = indices(output.shape)
    axis = int(node.options["axis"]) % len(output.shape)
    start = 0
    for index in node.inputs:
        tensor = lowering.graph.tensors[index]
        count = tensor.shape[axis] if node.op == "CONCATENATION" else 1
        part = places[(slice(None),) * axis + (slice(start, start + count),)]
        shape = (
            tensor.shape if node.op == "CONCATENATION" else (*tensor.shape[:axis], 1, *tensor.shape[axis:])
        )
        copy(lowering, node, (index, indices(shape)), (output.index, part), stem=node.op.lower())
        start += count


# --- row by row ---


def _rows(node: Node, sources: Sources) -> Recipe:
    """Inputs of the same rows, side by side."""
    output = sources.output(node)
    if any(index not in sources.views for index in node.inputs):
        raise NotIncrementalError("it joins a constant")
    views = [sources.views[index] for index in node.inputs]
    axis, rank = views[0].axis, len(output.shape)
    joined = int(node.options["axis"]) % rank
    if axis is None or any(found.axis != axis for found in views):
        raise NotIncrementalError("time lies differently in its inputs")
    if joined == axis:
        raise NotIncrementalError("it joins along time")
    made = view_along(output, axis)
    if rank > 4 or joined == 0 or any(found.rows != made.rows for found in views):
        raise NotIncrementalError("its inputs do not lie side by side")
    last = joined == rank - 1 or (axis == rank - 1 and joined == rank - 2)
    return Recipe(
        node.op, made, dict.fromkeys(range(len(views)), NEWEST), {**node.options, "axis": 3 if last else 2}
    )


FAMILIES = (
    Family(("CONCATENATION",), (check,), lower, _rows),
    Family(("PACK",), (check,), lower),
)
