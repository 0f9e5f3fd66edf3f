# SPDX-License-Identifier: Apache-2.0
"""SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND become one dilated convolution, as the layer had it.

TensorFlow writes a dilated convolution of a model with an open batch as three operators: rows that lie d
apart are dealt to d batches, each batch is convolved, and the rows are put together again. With the first's
padding p and the last's crops c that is, value by value, the convolution of dilation d and stride 1 over the
rows padded by p - c. Only so can the layer slide, and only so does the batch stay 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import float_function
from codegen.ops.checks import operand, same_scale

OPS = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")  # gone where they are a dilation
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_SHAPES = ("EXPAND_DIMS", "SQUEEZE", "RESHAPE")
_EACH_VALUE = (
    *("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH", "QUANTIZE"),
    float_function.OP,
)
_FACTORS = ("dilation_h_factor", "dilation_w_factor")
_Margins = tuple[tuple[int, int], ...]  # rows before and after, of each axis


@dataclass(frozen=True)
class _Chain:
    """The nodes from one SPACE_TO_BATCH_ND to its BATCH_TO_SPACE_ND, both included.

    block: rows that lie so far apart come into one batch, of each axis after the batch's
    padding: zero points that the one convolution adds to these axes
    """

    nodes: tuple[Node, ...]
    block: tuple[int, ...]
    padding: _Margins

    @property
    def convolution(self) -> Node:
        """The one in it."""
        return next(node for node in self.nodes if node.op in _CONVOLUTIONS)


def dilations_folded(graph: Graph) -> Graph:
    """The same function. What is not such a chain stays, for the checks of operators to refuse by name."""
    for node in graph.nodes:
        chain = _chain(graph, node) if node.op == "SPACE_TO_BATCH_ND" else None
        if chain is not None:
            graph = _Rewriting(graph, chain).graph() or graph
    return graph


def _chain(graph: Graph, first: Node) -> _Chain | None:
    """What begins here, where every tensor in it has one reader and one convolution is among the nodes."""
    nodes = [first]
    while nodes[-1].op != "BATCH_TO_SPACE_ND":
        if len(nodes[-1].outputs) != 1:
            return None
        (output,) = nodes[-1].outputs
        readers = [node for node in graph.nodes if output in node.inputs]
        if len(readers) != 1 or output in graph.outputs or readers[0].inputs[0] != output:
            return None
        if readers[0].op not in (*_CONVOLUTIONS, *_SHAPES, *_EACH_VALUE, "BATCH_TO_SPACE_ND"):
            return None
        nodes += readers
    last = nodes[-1]
    blocks = [_numbers(graph, node, 1) for node in (first, last)]
    pads, crops = _numbers(graph, first, 2), _numbers(graph, last, 2)
    block = blocks[0]
    if not block or blocks[1] != block or not 2 * len(block) == len(pads) == len(crops):
        return None
    flat = [pad - crop for pad, crop in zip(pads, crops, strict=True)]
    weighted = [node for node in nodes if node.op in _CONVOLUTIONS]
    whole = len(weighted) == 1 and operand(graph, weighted[0], 1) is not None
    if min(flat) < 0 or not whole or not all(_moves_values(graph, node) for node in (first, last)):
        return None
    return _Chain(tuple(nodes), block, tuple(zip(flat[::2], flat[1::2], strict=True)))


def _moves_values(graph: Graph, node: Node) -> bool:
    """Same scale and zero point before and after."""
    before, after = (graph.tensors[index] for index in (node.inputs[0], node.outputs[0]))
    return before.quantization is not None and same_scale(before, after)


def _numbers(graph: Graph, node: Node, position: int) -> tuple[int, ...]:
    """A constant operand, flat; nothing where it is computed."""
    tensor = operand(graph, node, position)
    if tensor is None or tensor.data is None:
        return ()
    return tuple(int(value) for value in tensor.data.reshape(-1))


class _Rewriting:
    """A graph in which one chain becomes one convolution.

    axes, sizes: where the chain's axes are in the tensor that was made last, and how long they are there
    """

    def __init__(self, graph: Graph, chain: _Chain) -> None:
        self._graph, self._chain = graph, chain
        self._tensors = list(graph.tensors)
        self._nodes: list[Node] = []
        source = graph.tensors[chain.nodes[0].inputs[0]]
        self._axes = list(range(1, len(chain.block) + 1))
        self._sizes = list(source.shape[1 : len(chain.block) + 1])
        self._current = source.index

    def graph(self) -> Graph | None:
        """The whole; None where the chain is something else."""
        source, target = self._tensors[self._current], self._tensors[self._chain.nodes[-1].outputs[0]]
        spatial = len(self._chain.block)
        if len(source.shape) <= spatial or source.shape[0] != 1:
            return None
        same = self._is_same()
        if not same and any(map(any, self._chain.padding)):
            self._pad(source)
        for node in self._chain.nodes[1:-1]:
            if not self._step(node, same=same):
                return None
        if self._axes != list(range(1, spatial + 1)) or tuple(self._sizes) != target.shape[1 : spatial + 1]:
            return None
        self._nodes[-1] = replace(self._nodes[-1], outputs=(target.index,))
        gone = {node.index for node in self._chain.nodes}
        at = next(place for place, node in enumerate(self._graph.nodes) if node.index in gone)
        kept = [node for node in self._graph.nodes if node.index not in gone]
        nodes = (*kept[:at], *self._nodes, *kept[at:])
        return replace(self._graph, tensors=tuple(self._tensors), nodes=nodes)

    def _is_same(self) -> bool:
        """The convolution's own padding "same" adds the same zero points: no tensor for the padded rows."""
        node = self._chain.convolution
        before = self._chain.nodes[: self._chain.nodes.index(node)]
        taps = self._taps(node)
        if any(one.op in _EACH_VALUE for one in before) or len(taps) != 2:
            return False
        axes = self._axes if len(self._axes) == 2 else None
        if axes is None:  # one axis: the other has one tap, and needs none
            return min(taps) == 1 and self._chain.padding[0] == _halves(
                (max(taps) - 1) * self._chain.block[0]
            )
        reaches = [(tap - 1) * block for tap, block in zip(taps, self._chain.block, strict=True)]
        return list(self._chain.padding) == [_halves(reach) for reach in reaches]

    def _taps(self, node: Node) -> tuple[int, ...]:
        """Of a convolution's weights: rows, columns."""
        return self._tensors[node.inputs[1]].shape[1:3]

    def _pad(self, source: Tensor) -> None:
        """A PAD in front."""
        margins = [(0, 0), *self._chain.padding]
        margins += [(0, 0)] * (len(source.shape) - len(margins))
        self._sizes = [size + sum(pair) for size, pair in zip(self._sizes, self._chain.padding, strict=True)]
        data = np.array(margins, np.int32)
        operand = len(self._tensors)
        name = f"{source.name}/padding"
        self._tensors.append(Tensor(operand, name, data.shape, "int32", data=data, made=True))
        self._add("PAD", self._chain.nodes[0], (self._current, operand), source)

    def _step(self, node: Node, *, same: bool) -> bool:
        """The next node of the chain, over all rows at once; False where its axes cannot be followed."""
        before, after = (self._graph.tensors[index] for index in (node.inputs[0], node.outputs[0]))
        options, others = dict(node.options), node.inputs[1:]
        if node.op in _CONVOLUTIONS:
            if not self._is_plain(node):
                return False
            if same:
                options["padding"] = "same"
            for place, (axis, block) in enumerate(zip(self._axes, self._chain.block, strict=True)):
                options[_FACTORS[axis - 1]] = block
                if not same:
                    self._sizes[place] -= (self._taps(node)[axis - 1] - 1) * block
        elif node.op in _SHAPES:
            axes = _followed(before, after, self._axes)
            if axes is None:
                return False
            self._axes, others = axes, ()
        elif before.shape[1:] != after.shape[1:]:
            return False
        op = "RESHAPE" if node.op in _SHAPES else node.op
        self._add(op, replace(node, options=options), (self._current, *others), after)
        return True

    def _is_plain(self, node: Node) -> bool:
        """Stride 1, no padding and no dilation yet; its axes are those of a picture."""
        options = node.options
        plain = options["padding"] == "valid" and options["stride_h"] == options["stride_w"] == 1
        plain = plain and all(options.get(factor, 1) == 1 for factor in _FACTORS)
        return plain and set(self._axes) <= {1, 2} and len(self._taps(node)) == 2

    def _add(self, op: str, node: Node, inputs: tuple[int, ...], like: Tensor) -> None:
        """A node whose output is a tensor that the file does not have."""
        shape = [1, *like.shape[1:]]
        for axis, size in zip(self._axes, self._sizes, strict=True):
            shape[axis] = size
        index = len(self._tensors)
        self._tensors.append(replace(like, index=index, shape=tuple(shape), made=True))
        self._nodes.append(replace(node, op=op, inputs=inputs, outputs=(index,)))
        self._current = index


def _halves(reach: int) -> tuple[int, int]:
    """What padding "same" adds at stride 1: the odd one after."""
    return reach // 2, reach - reach // 2


def _followed(before: Tensor, after: Tensor, axes: Sequence[int]) -> list[int] | None:
    """Where axes go, when sizes of 1 come and go; None where more happens, or an axis is one of these."""
    here = [axis for axis in range(1, len(before.shape)) if before.shape[axis] != 1]
    there = [axis for axis in range(1, len(after.shape)) if after.shape[axis] != 1]
    if [before.shape[axis] for axis in here] != [after.shape[axis] for axis in there]:
        return None
    if not set(axes) <= set(here):
        return None
    return [there[here.index(axis)] for axis in axes]
