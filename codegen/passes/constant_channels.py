# SPDX-License-Identifier: Apache-2.0
"""A model without the channels that are constants: the same bits from fewer and smaller layers.

A channel whose range is one value (codegen/passes/channel_ranges.py) goes into the biases of the convolutions
and dense layers that read it, and nobody computes it. A channel that only pooling, means and convolutions of
each channel alone lie behind goes with theirs. Where padding stands beside a constant that is not the zero
point, the sums at the edges differ, and it stays: with weights of 0, and a bias and a scale that are small,
whatever the file's were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.requantize import quantization, wrap32
from codegen.model.graph import Graph, Node, Quantization, Tensor
from codegen.passes.channel_ranges import (
    Range,
    bias_of,
    channel_ranges,
    is_flattened_position,
    is_padded,
    over_all_positions,
    range_of,
)

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

GROUP = 4  # channels that kernels read at once: so many stay, where there are that many
SUMS = 4  # of a constant: a step of the output


@dataclass(frozen=True, eq=False)
class Reduced:
    """graph: with the same nodes; kept: tensor -> the channels of the model's file that it still has"""

    graph: Graph
    kept: Mapping[int, Ints]


def without_constant_channels(graph: Graph) -> Reduced:
    """The graph that computes what the outputs need."""
    ranges = channel_ranges(graph)
    if not any(known.constant.any() for known in ranges.values()):
        return Reduced(graph, {})
    masks = _masks(graph, ranges)
    kept = {tensor: np.flatnonzero(mask) for tensor, mask in masks.items() if not mask.all()}
    return _Reduction(graph, ranges, kept).reduced()


# --- which channels stay ---


def _each_channel_alone(graph: Graph, node: Node) -> bool:
    """The output's channels are those of the input, one by one."""
    if node.op == "DEPTHWISE_CONV_2D":
        return graph.tensors[node.inputs[0]].shape[-1] == graph.tensors[node.outputs[0]].shape[-1]
    if node.op == "MEAN":
        return over_all_positions(graph, node)
    if node.op == "RESHAPE":
        return is_flattened_position(graph, node)
    return node.op in ("AVERAGE_POOL_2D", "MAX_POOL_2D")


def _takes_biases(graph: Graph, node: Node) -> bool:
    """Constants of its input can go into its biases."""
    if node.op == "FULLY_CONNECTED":
        return graph.tensors[node.inputs[0]].shape[-1] == graph.tensors[node.inputs[1]].shape[-1]
    return node.op == "CONV_2D"


def _masks(graph: Graph, ranges: Mapping[int, Range]) -> dict[int, Mask]:
    """Of every tensor with channels: those that some layer needs."""
    masks = {
        tensor.index: np.zeros(tensor.shape[-1], bool)
        for tensor in graph.tensors
        if tensor.data is None and tensor.shape
    }
    for tensor in (*graph.inputs, *graph.outputs):
        masks[tensor][:] = True
    alone = []
    for node in graph.nodes:
        if _each_channel_alone(graph, node):
            alone.append((node.inputs[0], node.outputs[0]))
            continue
        for tensor in (index for index in node.inputs if index in masks):
            masks[tensor] |= _read(graph, ranges, node, tensor)
        if node.op != "CONV_2D":
            for tensor in node.outputs:
                masks[tensor][:] = True
    _joined(masks, alone)
    for mask in masks.values():  # the same for tensors whose channels go together
        missing = -max(int(mask.sum()), 1) % GROUP + (not mask.any())
        mask[np.flatnonzero(~mask)[:missing]] = True
    return masks


def _read(graph: Graph, ranges: Mapping[int, Range], node: Node, tensor: int) -> Mask:
    """The channels of an input that a layer cannot do without."""
    if tensor != node.inputs[0] or not _takes_biases(graph, node):
        return np.ones(graph.tensors[tensor].shape[-1], bool)
    known = range_of(graph, ranges, tensor)
    folds = known.constant
    if node.op == "CONV_2D" and is_padded(graph, node):
        folds &= known.low == quantization(graph.tensors[tensor]).zero_point
    return ~folds


def _joined(masks: Mapping[int, Mask], pairs: list[tuple[int, int]]) -> None:
    """Tensors whose channels go together get what one of them needs."""
    changed = True
    while changed:
        changed = False
        for first, second in pairs:
            both = masks[first] | masks[second]
            for tensor in (first, second):
                changed = changed or bool((masks[tensor] != both).any())
                masks[tensor][:] = both


# --- what becomes of the layers ---


class _Reduction:
    def __init__(self, graph: Graph, ranges: Mapping[int, Range], kept: Mapping[int, Ints]) -> None:
        self.graph, self.ranges, self.kept = graph, ranges, kept
        self.tensors = [self._narrowed(tensor) for tensor in graph.tensors]

    def reduced(self) -> Reduced:
        nodes = tuple(self._node(node) for node in self.graph.nodes)
        return Reduced(replace(self.graph, tensors=tuple(self.tensors), nodes=nodes), self.kept)

    def _narrowed(self, tensor: Tensor) -> Tensor:
        kept = self.kept.get(tensor.index)
        return tensor if kept is None else replace(tensor, shape=(*tensor.shape[:-1], len(kept)))

    def _node(self, node: Node) -> Node:
        if node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            return node
        inside, outside = self.kept.get(node.inputs[0]), self.kept.get(node.outputs[0])
        known = self.ranges.get(node.outputs[0])
        if inside is None and outside is None and (known is None or not known.constant.any()):
            return node
        weights = self.graph.tensors[node.inputs[1]]
        assert weights.data is not None
        data, axis = weights.data, 3 if node.op == "DEPTHWISE_CONV_2D" else 0
        scales, bias = weights.quantization, bias_of(self.graph, node, data.shape[axis])
        if inside is not None and axis == 0:
            bias = bias + self._constant_part(node, inside)
            data = data[..., inside]
        if known is not None and scales is not None:
            data, scales, bias = self._constants_alone(node, known, data, scales, bias)
        if outside is not None:
            data, bias = data.take(outside, axis), bias[outside]
            scales = scales.of_channels(outside.tolist()) if scales else None
        narrow = self._constant(replace(weights, quantization=scales), data)
        return replace(node, inputs=(node.inputs[0], narrow, self._bias(node, bias, outside)))

    def _constants_alone(
        self, node: Node, known: Range, data: NDArray[np.int8], scales: Quantization, bias: Ints
    ) -> tuple[NDArray[np.int8], Quantization, Ints]:
        """Weights, scales and biases with which a constant channel follows from nothing else."""
        constant, depth = known.constant, len(bias)
        if not constant.any():
            return data, scales, bias
        axis = 3 if node.op == "DEPTHWISE_CONV_2D" else 0
        input_, output = (quantization(self.graph.tensors[i]) for i in (node.inputs[0], node.outputs[0]))
        step = output.scale / (input_.scale * SUMS)
        own = scales.scales if len(scales.scales) > 1 else scales.scales * depth
        points = scales.zero_points if len(scales.zero_points) > 1 else scales.zero_points * depth
        own = tuple(step if fixed else scale for fixed, scale in zip(constant, own, strict=True))
        shape = [depth if at == axis else 1 for at in range(data.ndim)]
        data = np.where(constant.reshape(shape), np.int8(0), data)
        return (
            data,
            replace(scales, scales=own, zero_points=points, axis=axis),
            np.where(constant, SUMS * (known.low - output.zero_point), bias),
        )

    def _constant_part(self, node: Node, kept: Ints) -> Ints:
        """What the channels that go away add to every sum of a layer."""
        tensor, weights = self.graph.tensors[node.inputs[0]], self.graph.tensors[node.inputs[1]].data
        assert weights is not None
        values = range_of(self.graph, self.ranges, tensor.index).low - quantization(tensor).zero_point
        values[kept] = 0
        sums: Ints = (weights.astype(np.int64) * values).sum(axis=tuple(range(1, weights.ndim)))
        return sums

    def _bias(self, node: Node, bias: Ints, outside: Ints | None) -> int:
        """A constant of these biases, modulo 2^32 like the sums that begin with them."""
        wrapped = np.array([wrap32(int(value)) for value in bias], np.int32)
        if len(node.inputs) > 2 and node.inputs[2] >= 0:
            like = self.graph.tensors[node.inputs[2]]
            if outside is not None and like.quantization is not None:
                like = replace(like, quantization=like.quantization.of_channels(outside.tolist()))
        else:
            like = Tensor(0, f"{self.graph.tensors[node.outputs[0]].name} bias", (), "int32")
        return self._constant(like, wrapped)

    def _constant(self, like: Tensor, data: NDArray[np.generic]) -> int:
        index = len(self.tensors)
        self.tensors.append(replace(like, index=index, shape=data.shape, data=np.ascontiguousarray(data)))
        return index
