# SPDX-License-Identifier: Apache-2.0
"""Operators whose result is known before the program runs: computed here, once, and gone from the graph.

Converters write them around shapes (a Flatten becomes SHAPE, STRIDED_SLICE, PACK, RESHAPE).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph, Node, Tensor

Values = list[NDArray[Any]]

LARGEST = 1 << 20  # values of a folded constant
WHOLE = ("int32", "int64", "bool")  # types that hold plain numbers


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
    return replace(graph, tensors=tuple(tensors), nodes=with_readers(nodes, graph.outputs))


def with_readers(nodes: Sequence[Node], outputs: tuple[int, ...]) -> tuple[Node, ...]:
    """The nodes on which the outputs depend."""
    wanted = set(outputs)
    kept: list[Node] = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs) or node.op == "ASSIGN_VARIABLE":
            kept.append(node)
            wanted.update(node.inputs)
    return tuple(reversed(kept))


def _evaluate(node: Node, tensors: list[Tensor]) -> NDArray[Any] | None:
    """The node's value, when it follows from constants and has the type and shape the file promises."""
    if node.op not in _RULES or len(node.outputs) != 1 or not node.inputs or min(node.inputs) < 0:
        return None
    inputs = [tensors[index] for index in node.inputs]
    output = tensors[node.outputs[0]]
    if node.op == "SHAPE":
        value = np.array(inputs[0].shape)
    else:
        known: Values = [tensor.data for tensor in inputs if tensor.data is not None]
        if len(known) != len(inputs) or not _foldable(node, known, output):
            return None
        try:
            value = _RULES[node.op](node, known)
        except (ValueError, IndexError, TypeError):
            return None  # an odd node: the operator's own check tells what is wrong
    if value.shape != output.shape or (value.dtype != output.dtype and node.op not in _RETYPED):
        return None
    return value.astype(output.dtype)


def _foldable(node: Node, known: Values, output: Tensor) -> bool:
    """Of a bounded size, and plain numbers where arithmetic is done."""
    if output.size > LARGEST:
        return False
    if node.op not in _WHOLE:
        return True
    if node.options.get("fused_activation_function", "none") != "none":
        return False
    whole = all(values.dtype.name in WHOLE for values in known) and output.dtype in WHOLE
    return whole and (
        node.op == "REDUCE_PROD" or all(values.shape in ((), (1,), output.shape) for values in known)
    )


def slice_ranges(node: Node, begin: Any, end: Any, strides: Any) -> tuple[Any, ...]:
    """A STRIDED_SLICE as NumPy's index."""
    options = node.options
    parts: list[Any] = []
    for axis, (first, last, stride) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << axis
        if options["ellipsis_mask"] & bit:
            parts.append(Ellipsis)
        elif options["new_axis_mask"] & bit:
            parts.append(None)
        elif options["shrink_axis_mask"] & bit:
            masked = 0 if stride > 0 else -1
            parts.append(masked if options["begin_mask"] & bit else int(first))
        else:
            start = None if options["begin_mask"] & bit else int(first)
            stop = int(first) + int(last) if options["offset"] else int(last)
            parts.append(slice(start, None if options["end_mask"] & bit else stop, int(stride)))
    return tuple(parts)


def _strided_slice(node: Node, values: Values) -> NDArray[Any]:
    data, begin, end, strides = values
    return np.asarray(data[slice_ranges(node, begin, end, strides)])


def _slice(node: Node, values: Values) -> NDArray[Any]:
    del node
    data, begin, sizes = values
    return data[tuple(slice(b, None if n == -1 else b + n) for b, n in zip(begin, sizes, strict=True))]


def _fill(node: Node, values: Values) -> NDArray[Any]:
    del node
    shape = _shape(values[0])
    if any(size < 1 for size in shape) or math.prod(shape) > LARGEST:
        raise ValueError(shape)
    return np.full(shape, values[1].reshape(-1)[0])


def _gather(node: Node, values: Values) -> NDArray[Any]:
    if node.options["batch_dims"]:
        raise ValueError(node.options)
    data, places = values
    if places.size and places.min() < 0:
        raise IndexError(places)
    return np.take(data, places, axis=int(node.options["axis"]))


def _product(node: Node, values: Values) -> NDArray[Any]:
    axes = tuple(_shape(values[1]))
    kind = values[0].dtype
    return np.asarray(values[0].prod(axis=axes, dtype=kind, keepdims=bool(node.options["keep_dims"])))


def _floor_div(node: Node, values: Values) -> NDArray[Any]:
    del node
    if not values[1].all():
        raise ValueError(values[1])
    return np.asarray(values[0] // values[1])


def _shape(values: NDArray[Any]) -> list[int]:
    return [int(size) for size in values.reshape(-1)]


# Values that follow from constants; wrong shapes and types are caught against what the file says.
_RULES: dict[str, Callable[[Node, Values], NDArray[Any]]] = {
    "SHAPE": lambda node, values: values[0],
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "PACK": lambda node, values: np.stack(values, axis=int(node.options["axis"])),
    "CONCATENATION": lambda node, values: np.concatenate(values, axis=int(node.options["axis"])),
    "RESHAPE": lambda node, values: values[0].reshape(_shape(values[1])),
    "EXPAND_DIMS": lambda node, values: np.expand_dims(values[0], int(values[1].reshape(-1)[0])),
    "TRANSPOSE": lambda node, values: values[0].transpose(_shape(values[1])),
    "FILL": _fill,
    "BROADCAST_TO": lambda node, values: np.array(np.broadcast_to(values[0], _shape(values[1]))),
    "CAST": lambda node, values: values[0],
    "GATHER": _gather,
    "REDUCE_PROD": _product,
    "FLOOR_DIV": _floor_div,
    "ADD": lambda node, values: values[0] + values[1],
    "SUB": lambda node, values: values[0] - values[1],
    "MUL": lambda node, values: values[0] * values[1],
}
FOLDED = frozenset(_RULES)  # operators that may be gone after folding
# Arithmetic of quantized numbers is not that of the numbers: only whole ones are folded.
_WHOLE = {"ADD", "SUB", "MUL", "CAST", "FLOOR_DIV", "REDUCE_PROD"}
_RETYPED = {"SHAPE", "CAST"}  # their output has a type of its own
