# SPDX-License-Identifier: Apache-2.0
"""DEQUANTIZE, operators in float32, QUANTIZE become int8: a table of the function, moves as they are.

Converters write floats between layers of int8 where they have no int8 form of an operator: an ELU, a SPLIT
whose parts have scales of their own, a largest value. A float that follows from one int8 alone is a function
of 256 values; to split, turn or slice such floats is to do so with the int8. What is left in float is refused
by name (codegen/ops/diagnosis.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from codegen.model.fold import with_readers
from codegen.model.graph import Graph, Node, Quantization, Tensor
from codegen.ops.float_function import COMPARISONS, OP, Real, Values, applied, dequantized, is_known

# operator -> the place of what it moves among its inputs
_MOVES = {
    **dict.fromkeys(
        ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT_V"), 0
    ),
    **dict.fromkeys(("UNPACK", "GATHER", "REVERSE_V2", "TILE", "BROADCAST_TO"), 0),
    "SPLIT": 1,
}
_LARGEST = ("REDUCE_MAX", "REDUCE_MIN", "MAX_POOL_2D")  # of an int8 of which the float never falls


@dataclass(frozen=True)
class _Float:
    """What a float32 tensor holds: a function of the int8 of another tensor, value by value."""

    tensor: int
    real: Real


def float_parts_replaced(graph: Graph) -> Graph:
    """The same function, with less of it in float."""
    return _Rewriting(graph).graph()


class _Rewriting:
    """Goes through the nodes in order; what nothing reads any more is dropped at the end."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tensors = list(graph.tensors)
        self._nodes: list[Node] = []
        self._floats: dict[int, _Float] = {}

    def graph(self) -> Graph:
        """The whole; the same object where there is nothing to do."""
        changed = False
        for node in self._graph.nodes:
            made = self._function(node)
            changed = changed or made is not None
            self._nodes.append(made or node)
            self._see(node)
        if not changed:
            return self._graph
        nodes = with_readers(self._nodes, self._graph.outputs)
        return replace(self._graph, tensors=tuple(self._tensors), nodes=nodes)

    def _function(self, node: Node) -> Node | None:
        """What a QUANTIZE of a known float becomes, or a comparison of such."""
        if node.op in COMPARISONS and min((*node.inputs, *node.outputs), default=-1) >= 0:
            truth = self._applied(node)
            return None if truth is None else _made(node, truth)
        if node.op != "QUANTIZE" or len(node.inputs) != 1 or len(node.outputs) != 1:
            return None
        found = self._floats.get(node.inputs[0])
        if found is None or not _is_int8(self._tensors[node.outputs[0]]):
            return None
        return _made(node, found)

    def _see(self, node: Node) -> None:
        """What the node's outputs hold, where that is known."""
        if min((*node.inputs, *node.outputs), default=-1) < 0:
            return
        if node.op == "DEQUANTIZE":
            if len(node.inputs) == 1 and _is_int8(self._tensors[node.inputs[0]]):
                self._floats[node.outputs[0]] = _Float(
                    node.inputs[0], dequantized(self._tensors[node.inputs[0]])
                )
        elif is_known(node):
            self._see_function(node)
        elif node.op in _MOVES or node.op in _LARGEST:
            self._see_move(node)

    def _see_function(self, node: Node) -> None:
        found = self._applied(node)
        if found is not None:
            self._floats[node.outputs[0]] = found

    def _applied(self, node: Node) -> _Float | None:
        """What a known operator makes of one int8 and constants; None where there is more in it."""
        operands: list[Real | Values] = []
        sources = set()
        for index in node.inputs:
            found, tensor = self._floats.get(index), self._tensors[index]
            if found is not None and tensor.shape == self._tensors[node.outputs[0]].shape:
                sources.add(found.tensor)
                operands.append(found.real)
            elif tensor.data is not None and tensor.dtype == "float32" and tensor.size == 1:
                operands.append(np.asarray(tensor.data, np.float32).reshape(-1))
            else:
                return None
        return _Float(sources.pop(), applied(node, operands)) if len(sources) == 1 else None

    def _see_move(self, node: Node) -> None:
        place = _MOVES.get(node.op, 0)
        found = self._floats.get(node.inputs[place]) if place < len(node.inputs) else None
        if found is None or any(index in self._floats for at, index in enumerate(node.inputs) if at != place):
            return
        if node.op in _LARGEST:
            if node.options.get("fused_activation_function", "none") != "none":
                return
            if not (np.diff(found.real.values) >= 0).all():
                found = self._ranked(node, found)
            if found is None:
                return
        like, outputs = self._tensors[found.tensor], []
        for index in node.outputs:
            number = len(self._tensors)
            outputs.append(number)
            shape = self._tensors[index].shape
            self._tensors.append(
                replace(like, index=number, shape=shape, variable=False, open_batch=False, made=True)
            )
            self._floats[index] = _Float(number, found.real)
        inputs = (*node.inputs[:place], found.tensor, *node.inputs[place + 1 :])
        self._nodes.append(replace(node, inputs=inputs, outputs=tuple(outputs), layer=node.number))

    def _ranked(self, node: Node, found: _Float) -> _Float | None:
        """The same float as a function that never falls, of another int8: which of all its values it is, in
        their order. None where it is no number, or both zeros."""
        levels, ranks = np.unique(found.real.values, return_inverse=True)
        zeros = found.real.values[found.real.values == 0]
        if np.isnan(levels).any() or len(np.unique(np.signbit(zeros))) > 1:
            return None
        like, number = self._tensors[found.tensor], len(self._tensors)
        step = Quantization((1.0,), (0,))
        rank = replace(like, index=number, quantization=step, variable=False, open_batch=False, made=True)
        self._tensors.append(rank)
        real = Real((ranks.reshape(-1) - 128).astype(np.float32), found.real.ops)
        options = {"real": real}
        made = replace(node, op=OP, inputs=(found.tensor,), outputs=(number,), options=options)
        self._nodes.append(replace(made, layer=node.number))
        values = levels[np.minimum(np.arange(256), len(levels) - 1)]
        return _Float(number, Real(values.astype(np.float32), found.real.ops))


def _made(node: Node, found: _Float) -> Node:
    return replace(node, op=OP, inputs=(found.tensor,), options={"real": found.real})


def _is_int8(tensor: Tensor) -> bool:
    """A computed int8 of one scale."""
    one = tensor.quantization is not None and len(tensor.quantization.scales) == 1
    return tensor.dtype == "int8" and tensor.data is None and one
