# SPDX-License-Identifier: Apache-2.0
"""A CONV_2D in groups becomes one convolution a group: its filters see some of the input's channels alone."""

from __future__ import annotations

from codegen.model.graph import Graph, Node
from codegen.passes.made import Replacement


def groups_parted(graph: Graph) -> Graph:
    """The same function."""
    for node in graph.nodes:
        count = _groups(graph, node) if node.op == "CONV_2D" else 1
        if count > 1:
            graph = _parted(graph, node, count)
    return graph


def _groups(graph: Graph, node: Node) -> int:
    """How many; 1 for other convolutions, and for those that the operator's own checks refuse."""
    if not 2 <= len(node.inputs) <= 3 or min(node.inputs[:2]) < 0:
        return 1
    input_, weights = (graph.tensors[index] for index in node.inputs[:2])
    if weights.data is None or len(weights.shape) != 4 or len(input_.shape) != 4 or not weights.shape[3]:
        return 1
    if graph.tensors[node.outputs[0]].shape[3:] != weights.shape[:1]:
        return 1
    count, rest = divmod(input_.shape[3], weights.shape[3])
    bias = graph.tensors[node.inputs[2]] if len(node.inputs) == 3 and node.inputs[2] >= 0 else None
    if bias is not None and (bias.data is None or bias.size != weights.shape[0]):
        return 1
    return count if not rest and weights.shape[0] % max(1, count) == 0 else 1


def _parted(graph: Graph, node: Node, count: int) -> Graph:
    made = Replacement(graph, node)
    input_, weights = (graph.tensors[index] for index in node.inputs[:2])
    bias = graph.tensors[node.inputs[2]] if len(node.inputs) == 3 and node.inputs[2] >= 0 else None
    output = graph.tensors[node.outputs[0]]
    assert weights.data is not None
    depth, filters = weights.shape[3], weights.shape[0] // count
    parts = []
    for group in range(count):
        own = range(group * filters, (group + 1) * filters)
        begin = made.numbers(f"{weights.name}/begin", [0, 0, 0, group * depth])
        size = made.numbers(f"{weights.name}/size", [*input_.shape[:3], depth])
        source = made.add("SLICE", [input_.index, begin, size], [*input_.shape[:3], depth], input_.index)
        operands = [source, made.channels(weights, weights.data, own)]
        if bias is not None and bias.data is not None:
            operands.append(made.channels(bias, bias.data.reshape(-1), own))
        shape = [*output.shape[:3], filters]
        parts.append(made.add("CONV_2D", operands, shape, output.index, **node.options))
    made.add("CONCATENATION", parts, output.shape, output.index, axis=3, fused_activation_function="none")
    return made.graph()
