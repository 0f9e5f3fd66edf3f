"""Operators whose result is known before the program runs: computed here, once, and gone from the graph.

Converters write them around shapes (a Flatten becomes SHAPE, STRIDED_SLICE, PACK, RESHAPE).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.graph import Graph, Node, Tensor

Values = list[NDArray[Any]]


def fold(graph: Graph) -> Graph:
    """The same function with fewer nodes: constants computed, nodes without readers dropped."""
    tensors = list(graph.tensors)
    nodes: list[Node] = []
    for node in graph.nodes:
        result = _evaluate(node, tensors)
        if result is None:
            nodes.append(node)
        else:
            (output,) = node.outputs
            tensors[output] = replace(tensors[output], data=result)
    return replace(graph, tensors=tuple(tensors), nodes=_with_readers(nodes, graph.outputs))


def _with_readers(nodes: list[Node], outputs: tuple[int, ...]) -> tuple[Node, ...]:
    """The nodes on which the outputs depend."""
    wanted = set(outputs)
    kept: list[Node] = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return tuple(reversed(kept))


def _evaluate(node: Node, tensors: list[Tensor]) -> NDArray[Any] | None:
    """The node's value, when it follows from constants and has the type and shape the file promises."""
    if node.op not in _RULES or len(node.outputs) != 1 or any(index < 0 for index in node.inputs):
        return None
    inputs = [tensors[index] for index in node.inputs]
    output = tensors[node.outputs[0]]
    if not inputs:
        return None
    if node.op == "SHAPE":
        value = np.array(inputs[0].shape, dtype=output.dtype)
    else:
        known: Values = [tensor.data for tensor in inputs if tensor.data is not None]
        if len(known) != len(inputs):
            return None
        try:
            value = _RULES[node.op](node, known)
        except (ValueError, IndexError, TypeError):
            return None  # an odd node: the operator's own check tells what is wrong
    if value.shape != output.shape or value.dtype != output.dtype:
        return None
    return value


def slice_ranges(
    node: Node, shape: tuple[int, ...], begin: Any, end: Any, strides: Any
) -> tuple[slice | int, ...]:
    """A STRIDED_SLICE as Python's slices, without ellipsis and new axes; ValueError where it has them."""
    options = node.options
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        raise ValueError("ellipsis, new axes and offsets are not understood")
    parts: list[slice | int] = []
    for axis in range(len(begin)):
        bit = 1 << axis
        first = None if options["begin_mask"] & bit else int(begin[axis])
        last = None if options["end_mask"] & bit else int(end[axis])
        if options["shrink_axis_mask"] & bit:
            index = int(begin[axis])
            parts.append(index + shape[axis] if index < 0 else index)
        else:
            parts.append(slice(first, last, int(strides[axis])))
    return tuple(parts)


def _strided_slice(node: Node, values: Values) -> NDArray[Any]:
    data, begin, end, strides = values
    return np.asarray(data[slice_ranges(node, data.shape, begin, end, strides)])


def _pack(node: Node, values: Values) -> NDArray[Any]:
    return np.stack(values, axis=int(node.options["axis"]))


def _reshape(node: Node, values: Values) -> NDArray[Any]:
    return values[0].reshape([int(size) for size in values[1]])


_RULES: dict[str, Callable[[Node, Values], NDArray[Any]]] = {
    "SHAPE": lambda node, values: values[0],
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "RESHAPE": _reshape,
}
