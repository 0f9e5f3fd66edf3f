# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE later, or not at all: PyTorch's channels come first, TFLite's convolutions want them last.

A converter turns a tensor before each convolution and back after it. What lies between two of them works on
values one by one, or along axes: it is done on the tensor as it was before it was turned, whose turn waits.
Two turns in a row become one, and often none. What needs the values in their order gets them turned there.
The graph stays as it is where that would move more values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.float_function import OP
from codegen.ops.reshape import OPS as RESHAPES

# Of one tensor, value by value.
EACH = frozenset(
    ("ABS", "CAST", "DEQUANTIZE", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE")
) | {"RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RSQRT", "SQRT", "TANH", OP}
# Of several, value by value, that broadcast.
TOGETHER = frozenset(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU")) | {
    *("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"),
    *("SELECT", "SELECT_V2"),
}
REDUCED = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
PADDED = ("PAD", "PADV2", "MIRROR_PAD")


@dataclass(frozen=True)
class _Turned:
    """A tensor that is another one, turned: its axis k is the axis order[k] of `source`."""

    source: int
    order: tuple[int, ...]


def transposes_later(graph: Graph) -> Graph:
    """The same function; the same object where nothing is gained."""
    if graph.variables or not any(node.op == "TRANSPOSE" for node in graph.nodes):
        return graph
    found = _Rewriting(graph).graph()
    return found if _moved(found) < _moved(graph) else graph


def _moved(graph: Graph) -> int:
    """Values that TRANSPOSE puts into another order."""
    total = 0
    for node in graph.nodes:
        order = _order(graph.tensors, node) if node.op == "TRANSPOSE" else None
        if order is not None and not _is_kept(graph.tensors[node.inputs[0]].shape, order):
            total += graph.tensors[node.inputs[0]].size
    return total


def _order(tensors: Sequence[Tensor], node: Node) -> tuple[int, ...] | None:
    """Of a TRANSPOSE; None where its own check refuses it."""
    if len(node.inputs) != 2 or len(node.outputs) != 1 or min(node.inputs) < 0:
        return None
    data = tensors[node.inputs[1]].data
    rank = len(tensors[node.inputs[0]].shape)
    order = () if data is None else tuple(int(axis) for axis in data.reshape(-1))
    return order if sorted(order) == list(range(rank)) else None


def _is_kept(shape: Sequence[int], order: Sequence[int]) -> bool:
    """The values stay in their order: axes of one position alone are moved."""
    real = [axis for axis in order if shape[axis] > 1]
    return real == sorted(real)


class _Rewriting:
    """Goes through the nodes in order."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tensors = list(graph.tensors)
        self._nodes: list[Node] = []
        self._turned: dict[int, _Turned] = {}
        self._made: set[int] = set()  # of those in _turned, what exists
        self._node = graph.nodes[0]  # the one that is looked at

    def graph(self) -> Graph:
        """The whole."""
        rules = self._rules()
        for node in self._graph.nodes:
            self._node = node
            rule = rules.get(node.op)
            usable = len(node.outputs) == 1 and bool(node.inputs) and min(node.inputs) >= 0
            if rule is None or not usable or not rule(node):
                self._make_all(node.inputs)
                self._nodes.append(node)
        self._make_all(self._graph.outputs)
        return replace(self._graph, tensors=tuple(self._tensors), nodes=tuple(self._nodes))

    def _rules(self) -> Mapping[str, Callable[[Node], bool]]:
        """Operator -> what does it on tensors that are not turned yet; False: it cannot."""
        return {
            "TRANSPOSE": self._transpose,
            "CONCATENATION": self._concatenation,
            "SLICE": self._slice,
            **dict.fromkeys(RESHAPES, self._reshape),
            **dict.fromkeys(EACH, self._each),
            **dict.fromkeys(TOGETHER, self._together),
            **dict.fromkeys(REDUCED, self._reduce),
            **dict.fromkeys(PADDED, self._pad),
        }

    # --- what is made ---

    def _make_all(self, indices: Sequence[int]) -> None:
        for index in indices:
            if index in self._turned and index not in self._made:
                self._make(index, self._turned[index])

    def _make(self, index: int, turned: _Turned) -> None:
        """The tensor itself, from its source."""
        self._made.add(index)
        if _is_kept(self._tensors[turned.source].shape, turned.order):
            node = replace(self._node, op="RESHAPE", inputs=(turned.source,), outputs=(index,), options={})
        else:
            inputs = (turned.source, self._numbers(turned.order))
            node = replace(self._node, op="TRANSPOSE", inputs=inputs, outputs=(index,), options={})
        self._nodes.append(replace(node, layer=self._node.number))

    def _numbers(self, values: Sequence[int] | Sequence[Sequence[int]]) -> int:
        """An int32 constant."""
        data = np.array(values, np.int32)
        index = len(self._tensors)
        self._tensors.append(Tensor(index, "", data.shape, "int32", data=data, made=True))
        return index

    def _like(self, index: int, shape: Sequence[int]) -> int:
        """A tensor that holds what another does, in this shape."""
        number = len(self._tensors)
        other = self._tensors[index]
        self._tensors.append(replace(other, index=number, shape=tuple(shape), open_batch=False, made=True))
        return number

    def _done(self, node: Node, inputs: Sequence[int], order: tuple[int, ...]) -> bool:
        """The node on other inputs, whose output is then turned by `order`."""
        shape = self._tensors[node.outputs[0]].shape
        if len(shape) != len(order):
            return False
        before = [0] * len(shape)
        for axis, size in zip(order, shape, strict=True):
            before[axis] = size
        output = self._like(node.outputs[0], before)
        self._nodes.append(replace(node, inputs=tuple(inputs), outputs=(output,), layer=node.number))
        self._turned[node.outputs[0]] = _Turned(output, order)
        return True

    # --- the operators ---

    def _transpose(self, node: Node) -> bool:
        order = _order(self._tensors, node)
        source = self._tensors[node.inputs[0]]
        if order is None or source.data is not None:
            return False
        if tuple(source.shape[axis] for axis in order) != self._tensors[node.outputs[0]].shape:
            return False
        before = self._turned.get(source.index)
        if before is not None:
            order = tuple(before.order[axis] for axis in order)
        self._turned[node.outputs[0]] = _Turned(source.index if before is None else before.source, order)
        return True

    def _reshape(self, node: Node) -> bool:
        """Axes of one position come or go; the others stay."""
        found = self._turned.get(node.inputs[0])
        shape = self._tensors[node.outputs[0]].shape
        before = self._tensors[node.inputs[0]].shape
        if found is None or [size for size in shape if size != 1] != [size for size in before if size != 1]:
            return False
        source = self._tensors[found.source]
        real = [axis for axis in range(len(source.shape)) if source.shape[axis] > 1]
        units = len(shape) - len(real)
        places = {axis: units + at for at, axis in enumerate(real)}  # of the source's axes among the new ones
        turned = iter(places[axis] for axis in found.order if source.shape[axis] > 1)
        unit = iter(range(units))
        order = tuple(next(unit) if size == 1 else next(turned) for size in shape)
        new = (*(1,) * units, *(source.shape[axis] for axis in real))
        index = found.source
        if new != source.shape:
            index = self._like(node.outputs[0], new)
            reshape = replace(node, op="RESHAPE", inputs=(found.source,), outputs=(index,), options={})
            self._nodes.append(replace(reshape, layer=node.number))
        self._turned[node.outputs[0]] = _Turned(index, order)
        return True

    def _each(self, node: Node) -> bool:
        found = self._turned.get(node.inputs[0])
        return found is not None and self._done(node, (found.source, *node.inputs[1:]), found.order)

    def _together(self, node: Node) -> bool:
        """Operands that are turned alike, and constants."""
        rank = len(self._tensors[node.outputs[0]].shape)
        orders = {self._turned[index].order for index in node.inputs if index in self._turned}
        if len(orders) != 1:
            return False
        (order,) = orders
        if len(order) != rank:
            return False
        inputs = [self._operand(index, order) for index in node.inputs]
        if any(index is None for index in inputs):
            return False
        return self._done(node, [index for index in inputs if index is not None], order)

    def _operand(self, index: int, order: tuple[int, ...]) -> int | None:
        """As it is before it is turned; None where it is computed in another order."""
        if index in self._turned:
            return self._turned[index].source
        tensor = self._tensors[index]
        one = tensor.quantization is None or len(tensor.quantization.scales) == 1
        if tensor.data is None or len(tensor.shape) > len(order) or not one:
            return None
        if tensor.size == 1:
            return index
        full = tensor.data.reshape((1,) * (len(order) - len(tensor.shape)) + tensor.shape)
        data = np.ascontiguousarray(full.transpose(np.argsort(order)))
        number = self._like(index, data.shape)
        self._tensors[number] = replace(self._tensors[number], data=data)
        return number

    def _reduce(self, node: Node) -> bool:
        found, axes = self._turned.get(node.inputs[0]), self._integers(node, 1)
        rank = len(self._tensors[node.inputs[0]].shape)
        if found is None or axes is None or any(not -rank <= axis < rank for axis in axes):
            return False
        taken = sorted({found.order[axis % rank] for axis in axes})
        order = found.order
        if not node.options.get("keep_dims"):
            left = [axis for axis in range(rank) if axis not in taken]
            order = tuple(left.index(axis) for axis in found.order if axis in left)
        return self._done(node, (found.source, self._numbers(taken)), order)

    def _pad(self, node: Node) -> bool:
        found, paddings = self._turned.get(node.inputs[0]), self._integers(node, 1)
        if found is None or paddings is None or len(paddings) != 2 * len(found.order):
            return False
        pairs = [paddings[2 * axis : 2 * axis + 2] for axis in np.argsort(found.order).tolist()]
        return self._done(node, (found.source, self._numbers(pairs), *node.inputs[2:]), found.order)

    def _slice(self, node: Node) -> bool:
        found = self._turned.get(node.inputs[0])
        begin, size = self._integers(node, 1), self._integers(node, 2)
        if found is None or begin is None or size is None:
            return False
        if len(begin) != len(found.order) or len(size) != len(found.order):
            return False
        axes = np.argsort(found.order).tolist()
        numbers = [self._numbers([values[axis] for axis in axes]) for values in (begin, size)]
        return self._done(node, (found.source, *numbers), found.order)

    def _concatenation(self, node: Node) -> bool:
        found = [self._turned.get(index) for index in node.inputs]
        orders = {one.order if one is not None else () for one in found}
        axis = int(node.options.get("axis", 0))
        if len(orders) != 1:
            return False
        (order,) = orders
        if not -len(order) <= axis < len(order):
            return False
        node = replace(node, options={**node.options, "axis": order[axis]})
        return self._done(node, [one.source for one in found if one is not None], order)

    def _integers(self, node: Node, place: int) -> list[int] | None:
        """The values of a constant."""
        if place >= len(node.inputs):
            return None
        tensor = self._tensors[node.inputs[place]]
        if tensor.data is None or tensor.dtype not in ("int32", "int64"):
            return None
        return [int(value) for value in tensor.data.reshape(math.prod(tensor.shape))]
