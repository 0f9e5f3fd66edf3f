# SPDX-License-Identifier: Apache-2.0
"""The program while it is built: operators add calls, tables and shared memory to it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from codegen.common.reference import Reference
from codegen.kernels.layer import Array, Layer
from codegen.model.graph import Graph, Node, Tensor

# Operators whose output may share the memory of their input.
MOVES = frozenset(
    ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "FILL", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT")
) | {
    *("SPLIT_V", "UNPACK", "GATHER", "MIRROR_PAD", "TILE", "BROADCAST_TO", "REVERSE_V2"),
    *("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"),
}


CLAMP = "clamp"  # the kernel that follows one whose own clamp is that of int8
Table = NDArray[np.int64]  # [depth, 256]: a lookup table over -128 .. 127, taken in turn over the flat tensor


class Lowering:
    """The program while it is built. Operators call add, table and share."""

    def __init__(
        self, graph: Graph, reference: Reference, *, fast: bool = False, outputs: Sequence[int] = ()
    ) -> None:
        self.graph = graph
        self.outputs = tuple(outputs) or graph.outputs[:1]  # that the caller gets
        self.reference = reference
        self.fast = fast  # kernels = "fast": constants may be many where that saves time
        self.layers: list[Layer] = []
        self._same: dict[int, int] = {}
        self._names: Counter[str] = Counter()
        self._readers = Counter(index for node in graph.nodes for index in node.inputs)
        self._readers.update(graph.outputs)
        self._states: dict[int, int] = {}  # variable -> the tensor that is its memory
        self._tables: dict[int, tuple[int, Table]] = {}  # tensor -> its table layer's position, and the table

    def root(self, tensor: int) -> int:
        """The tensor whose memory this one uses."""
        return self._same.get(tensor, tensor)

    def is_read(self, tensor: int) -> bool:
        """Some layer or the caller wants it."""
        return self._readers[tensor] > 0

    def temporary(self, shape: tuple[int, ...], like: Tensor) -> int:
        """A new tensor of this shape, of the type and scale of another."""
        tensor = replace(like, index=len(self.graph.tensors), shape=shape, data=None)
        self.graph = replace(self.graph, tensors=(*self.graph.tensors, tensor))
        return tensor.index

    def state(self, variable: int) -> int:
        """The tensor that is a variable's memory."""
        if variable not in self._states:
            found = self.graph.variables[variable]
            like = Tensor(0, found.name, found.shape, found.dtype)
            self._states[variable] = self.temporary(found.shape, like)
        return self._states[variable]

    @property
    def states(self) -> dict[int, int]:
        """Tensor -> variable."""
        return {tensor: variable for variable, tensor in self._states.items()}

    def last_reader(self, tensor: int) -> int:
        """Index of the last node that reads the tensor's bytes, under whatever shape; the caller, who gets
        the model's outputs, reads after all of them."""
        last = sys.maxsize if tensor in self.graph.outputs else -1
        for node in self.graph.nodes:
            if tensor in node.inputs:
                further = [self.last_reader(output) for output in node.outputs if node.op in MOVES]
                last = max(last, node.index, *further)
        return last

    def make_in(self, value: int, memory: int) -> bool:
        """Lets the makers of `value` write it to `memory`, if all layers that read `memory` come before."""
        value = self.root(value)
        makers = [place for place, layer in enumerate(self.layers) if layer.output == value]
        if not makers or value in self.outputs or value in self.states:
            return False
        if any(memory in layer.inputs for layer in self.layers[makers[0] :]):
            return False
        for tensor in (value, *(other for other, root in self._same.items() if root == value)):
            self._same[tensor] = memory
        self._tables.pop(value, None)
        self.layers = [
            replace(
                layer,
                inputs=tuple(self.root(tensor) for tensor in layer.inputs),
                output=self.root(layer.output),
                in_place=tuple(self.root(tensor) for tensor in layer.in_place),
            )
            for layer in self.layers
        ]
        return True

    def share(self, tensor: int, with_: int) -> None:
        """The two are the same bytes."""
        source = self.root(with_)
        self._same[tensor] = source
        self._readers[source] += self._readers[tensor] - 1

    def add(
        self,
        node: Node,
        stem: str,
        *,
        type: str,
        fields: Sequence[tuple[str, str]],
        arrays: Sequence[Array] = (),
        inputs: Sequence[int] | None = None,
        in_place: Sequence[int] = (),
        scratch: int = 0,
        macs: int = 0,
        note: str = "",
        form: str = "",
        output: int | None = None,
        general: str = "",
    ) -> None:
        """One call.

        stem: its name without a number; form: which of the kernel's, the end of its name; inputs: the node's
        computed ones where not given; output: its first where not given; general: see Layer
        """
        if inputs is None:
            inputs = [index for index in node.inputs if index >= 0 and self.graph.tensors[index].data is None]
        self._names[stem] += 1
        layer = Layer(
            name=f"{stem}{self._names[stem]}",
            kernel=f"{type}_{form}" if form else type,
            type=type,
            fields=tuple(fields),
            arrays=tuple(arrays),
            inputs=tuple(self.root(index) for index in inputs),
            output=self.root(node.outputs[0] if output is None else output),
            node=node,
            in_place=tuple(self.root(index) for index in in_place),
            scratch=scratch,
            macs=macs,
            note=note,
            general=general,
        )
        self.layers.append(layer)

    def clamp(self, node: Node, low: int, high: int) -> None:
        """The node's output, which is made already, to low .. high, in its place."""
        if (low, high) != (-128, 127):
            (output,) = node.outputs
            count = self.graph.tensors[output].size
            fields = [("count", str(count)), ("low", str(low)), ("high", str(high))]
            self.add(node, "clamp", type=CLAMP, fields=fields, inputs=[output])

    def table(self, node: Node, input_: int, table: Table) -> None:
        """output = table[input], one table or one a channel; joined with the table that made the input."""
        source = self.root(input_)
        before = self._tables.get(source)
        if before is not None and self._readers[source] == 1:
            position, first = before
            joined = compose(first, table)
            if joined is not None:
                nodes = self.layers[position]
                self.layers[position] = self._table_layer(nodes.name, node, nodes.inputs[0], joined)
                self._tables[node.outputs[0]] = (position, joined)
                return
        self._names["table"] += 1
        self.layers.append(self._table_layer(f"table{self._names['table']}", node, source, table))
        self._tables[node.outputs[0]] = (len(self.layers) - 1, table)

    def _table_layer(self, name: str, node: Node, source: int, table: Table) -> Layer:
        depth = len(table)
        output = self.graph.tensors[node.outputs[0]]
        return Layer(
            name=name,
            kernel="table",
            type="table",
            fields=(("table", "table"), ("count", str(output.size)), ("depth", str(depth))),
            arrays=(Array("table", "int8_t", table.reshape(-1), "over -128 .. 127, channel by channel"),),
            inputs=(source,),
            output=node.outputs[0],
            node=node,
            in_place=(source,),
        )


def compose(first: Table, second: Table) -> Table | None:
    """second after first, as one table; None where their channels do not fit."""
    depth = max(len(first), len(second))
    if depth % len(first) or depth % len(second):
        return None
    first, second = np.tile(first, (depth // len(first), 1)), np.tile(second, (depth // len(second), 1))
    return np.take_along_axis(second, first + 128, axis=1)
