# SPDX-License-Identifier: Apache-2.0
"""The least and the largest value that each channel of a tensor can take, for any input of the model.

Worst-case sums, channel by channel, from layer to layer: the requantisation never falls while its sum rises,
so the ends of the sum give the ends of the output. A folded batch normalisation with a minute scale leaves
channels whose two ends are one value: constants (codegen/passes/constant_channels.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.requantize import (
    Multiplier,
    activation_range,
    channel_multipliers,
    clamp,
    multiply,
    quantization,
)
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.conv_2d import window_axes
from codegen.ops.mean import axes_of, mean_multiplier

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Range:
    """low, high: of every channel, the last axis"""

    low: Ints
    high: Ints

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Of every channel: it has one value, at all places."""
        return np.asarray(self.low == self.high)


def channel_ranges(graph: Graph) -> dict[int, Range]:
    """Of the int8 tensors of which more is known than their type."""
    found: dict[int, Range] = {}
    for node in graph.nodes:
        rule = _RULES.get(node.op)
        ends = [graph.tensors[index] for index in (*node.inputs[:1], *node.outputs)]
        known = all(tensor.shape and tensor.dtype == "int8" for tensor in ends)  # a scalar has no channels
        if rule is not None and known:
            made = rule(graph, node, range_of(graph, found, node.inputs[0]))
            if made is not None:
                found[node.outputs[0]] = made
    return found


def range_of(graph: Graph, ranges: Mapping[int, Range], tensor: int) -> Range:
    """Of any int8 tensor."""
    depth = graph.tensors[tensor].shape[-1]
    return ranges.get(tensor, Range(np.full(depth, -128, np.int64), np.full(depth, 127, np.int64)))


def is_padded(graph: Graph, node: Node) -> bool:
    """Some window of a convolution leaves the input, and reads its zero point there."""
    input_, weights = (graph.tensors[index].shape for index in node.inputs[:2])
    rows, columns = window_axes(node, input_, (weights[1], weights[2]))
    return rows.padded or columns.padded


def bias_of(graph: Graph, node: Node, depth: int) -> Ints:
    """Of a layer with weights; zeros where it has none."""
    bias = graph.tensors[node.inputs[2]].data if len(node.inputs) > 2 and node.inputs[2] >= 0 else None
    return np.zeros(depth, np.int64) if bias is None else bias.astype(np.int64).reshape(-1)


def _convolution(graph: Graph, node: Node, given: Range) -> Range | None:
    """CONV_2D and DEPTHWISE_CONV_2D: the worst products of every tap."""
    input_, weights, output = (graph.tensors[i] for i in (*node.inputs[:2], node.outputs[0]))
    assert weights.data is not None
    taps = weights.data.astype(np.int64)
    depth = output.shape[-1]
    zero_point = quantization(input_).zero_point
    low, high = given.low - zero_point, given.high - zero_point
    if is_padded(graph, node):
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    sums = (0, 1, 2)
    if node.op == "CONV_2D":
        sums = (1, 2, 3)
    else:
        low, high = (np.repeat(ends, depth // input_.shape[-1]) for ends in (low, high))
    bias = bias_of(graph, node, depth)
    least = np.minimum(taps * low, taps * high).sum(axis=sums) + bias
    largest = np.maximum(taps * low, taps * high).sum(axis=sums) + bias
    by = channel_multipliers(input_, weights, output, depth)
    limits = activation_range(output, node.options["fused_activation_function"])
    ends = [
        _requantized(output, limits, one, (int(a), int(b)))
        for one, a, b in zip(by, least, largest, strict=True)
    ]
    return _range(ends)


def _requantized(
    output: Tensor, limits: tuple[int, int], by: Multiplier, sums: tuple[int, int]
) -> tuple[int, int]:
    """Of the least and the largest sum; everything that is allowed where 32 bits would not hold them."""
    if max(abs(value) << by.left for value in sums) >= 1 << 31:
        return limits
    zero_point = quantization(output).zero_point
    low, high = (clamp(multiply(value, by) + zero_point, *limits) for value in sums)
    return low, high


def _pool(graph: Graph, node: Node, given: Range) -> Range:
    """An average or a largest value lies between the ends; padding is left out."""
    limits = activation_range(graph.tensors[node.outputs[0]], node.options["fused_activation_function"])
    return Range(np.clip(given.low, *limits), np.clip(given.high, *limits))


def over_all_positions(graph: Graph, node: Node) -> bool:
    """A MEAN that leaves one value a channel."""
    shape, axes = graph.tensors[node.inputs[0]].shape, axes_of(graph, node) or []
    return (
        len(shape) - 1 not in axes and all(size == 1 or at in axes for at, size in enumerate(shape[:-1]))
    ) and graph.tensors[node.outputs[0]].shape[-1:] == shape[-1:]


def _mean(graph: Graph, node: Node, given: Range) -> Range | None:
    """Of a mean over all positions, from the sums of equal values."""
    if not over_all_positions(graph, node):
        return None
    input_, output = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    count, zero_point = input_.size // output.size, quantization(input_).zero_point
    by = mean_multiplier(input_, output, count)
    pairs = zip(given.low.tolist(), given.high.tolist(), strict=True)
    ends = [
        _requantized(output, (-128, 127), by, (count * (a - zero_point), count * (b - zero_point)))
        for a, b in pairs
    ]
    return _range(ends)


def is_flattened_position(graph: Graph, node: Node) -> bool:
    """A change of shape of one position: its channels stay the last axis."""
    before, after = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    return (before.size,) == (after.size,) == before.shape[-1:] == after.shape[-1:]


def _reshape(graph: Graph, node: Node, given: Range) -> Range | None:
    return given if is_flattened_position(graph, node) else None


def _range(ends: list[tuple[int, int]]) -> Range:
    low, high = np.array(ends, np.int64).T
    return Range(low, high)


_RULES: Mapping[str, Callable[[Graph, Node, Range], Range | None]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "RESHAPE": _reshape,
}
