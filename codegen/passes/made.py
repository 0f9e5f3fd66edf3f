# SPDX-License-Identifier: Apache-2.0
"""What passes share that put other nodes in the place of one: new tensors, new constants, the new graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph, Node, Quantization, Tensor


class Replacement:
    """Nodes that compute what one node computes. The last must write the old output."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self._graph, self._node = graph, node
        self.tensors = list(graph.tensors)
        self.nodes: list[Node] = []

    def constant(self, name: str, data: NDArray[Any], quantization: Quantization | None = None) -> int:
        """A constant that the file does not have."""
        index = len(self.tensors)
        dtype = data.dtype.name
        self.tensors.append(Tensor(index, name, data.shape, dtype, quantization, data=data, made=True))
        return index

    def channels(self, like: Tensor, data: NDArray[Any], channels: Sequence[int]) -> int:
        """A constant of these channels of another one: its values along their first axis, its scales."""
        scales = like.quantization.of_channels(channels) if like.quantization is not None else None
        return self.constant(like.name, data[channels], scales)

    def numbers(self, name: str, values: Sequence[int] | Sequence[Sequence[int]]) -> int:
        """An int32 constant: sizes, axes, paddings."""
        return self.constant(name, np.array(values, np.int32))

    def add(self, op: str, inputs: Sequence[int], shape: Sequence[int], like: int, **options: Any) -> int:
        """A node whose output has this shape, and type and scale of another tensor; that output."""
        index = len(self.tensors)
        tensor = replace(
            self.tensors[like], index=index, shape=tuple(shape), data=None, open_batch=False, made=True
        )
        self.tensors.append(tensor)
        self.nodes.append(
            Node(self._node.index, op, tuple(inputs), (index,), options, layer=self._node.number)
        )
        return index

    def graph(self) -> Graph:
        """The graph with the nodes in place of the one."""
        last = self.nodes[-1]
        self.nodes[-1] = replace(last, outputs=self._node.outputs)
        at = self._graph.nodes.index(self._node)
        nodes = (*self._graph.nodes[:at], *self.nodes, *self._graph.nodes[at + 1 :])
        return replace(self._graph, tensors=tuple(self.tensors), nodes=nodes)


def numbered(graph: Graph) -> Graph:
    """Every node with an index of its own again: those that stand in the place of one have that one's."""
    found = [node.index for node in graph.nodes]
    if found == sorted(set(found)):
        return graph
    nodes = (replace(node, index=at, layer=node.number) for at, node in enumerate(graph.nodes))
    return replace(graph, nodes=tuple(nodes))
