# SPDX-License-Identifier: Apache-2.0
"""The calls of a decision: nodes over some rows, lowered like any others, and moves of kept rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from codegen.common.reference import Reference
from codegen.incremental.edges.pieces import Kept, Pieces, Span, merged
from codegen.incremental.edges.timeline import Timelines
from codegen.kernels.layer import Layer, Program
from codegen.model.graph import Graph, Node, Tensor
from codegen.passes.lower import lowered, program
from codegen.passes.wide_weights import wide_weights


@dataclass(frozen=True)
class Place:
    """Rows of a tensor in memory. block: the tensor of the memory plan; offset: bytes from its start"""

    block: int
    offset: int = 0


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Rows that last from decision to decision. name: in C, after the app's prefix; size: bytes of a row

    reader: the layer that made them, by the name of its struct
    """

    name: str
    reader: str
    tensor: int
    kept: Kept
    size: int

    @property
    def phase_bytes(self) -> int:
        """Of one phase, to a whole word."""
        found = self.kept.rows.rows * self.size
        return found + -found % 4

    @property
    def nbytes(self) -> int:
        """Of all phases."""
        return self.phase_bytes * self.kept.phases


@dataclass(frozen=True)
class Compute:
    """A kernel. inputs, output: bytes from the start of their blocks"""

    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Restore:
    """Kept rows, `nbytes` from `source` on, to a place in the arena."""

    state: KeptRows
    source: int
    target: Place
    nbytes: int


@dataclass(frozen=True)
class Keep:
    """`nbytes` of rows join those kept, and as many of the oldest go."""

    state: KeptRows
    source: Place
    nbytes: int


Call = Compute | Restore | Keep


@dataclass(frozen=True, eq=False)
class Calls:
    """program: its layers are the calls in order; what a move has of a layer is inputs and output.

    step: calls until all rows that are kept are there; the others make the output
    """

    program: Program
    calls: tuple[Call, ...]
    step: int


def move(like: Layer, inputs: tuple[int, ...], output: int) -> Layer:
    """What the memory plan sees of a move."""
    return replace(
        like,
        kernel="",
        type="",
        arrays=(),
        fields=(),
        inputs=inputs,
        output=output,
        scratch=0,
        macs=0,
        in_place=(),
    )


def states(graph: Graph, made: Pieces, lines: Timelines, full: Sequence[Layer]) -> dict[int, KeptRows]:
    """Tensor -> the memory of its kept rows."""
    makers = {output: node.index for node in graph.nodes for output in node.outputs}
    found = {}
    for tensor, kept in sorted(made.kept.items()):
        name = next(
            (layer.name for layer in reversed(full) if layer.node.index == makers[tensor]), f"tensor{tensor}"
        )
        found[tensor] = KeptRows(f"{name}_kept", name, tensor, kept, lines.row_bytes(graph, tensor))
    return found


@dataclass(frozen=True, eq=False)
class GivenModel:
    """What is lowered, with whose bits, and whether for speed."""

    graph: Graph
    reference: Reference
    fast: bool


def full_run(model: GivenModel, kept: Mapping[int, KeptRows]) -> Calls:
    """The whole model, which leaves kept what a decision would."""
    graph = model.graph
    lowering = lowered(replace(graph, outputs=(*graph.outputs, *kept)), model.reference, fast=model.fast)
    last = {layer.output: place for place, layer in enumerate(lowering.layers)}
    keeping = {last[lowering.root(tensor)]: (tensor, state) for tensor, state in kept.items()}
    layers: list[Layer] = []
    calls: list[Call] = []
    for place, layer in enumerate(lowering.layers):
        layers.append(layer)
        calls.append(Compute((0,) * len(layer.inputs), 0))
        if place in keeping:
            tensor, state = keeping[place]
            rows = state.kept.rows
            source = Place(lowering.root(tensor), (rows.first + state.kept.fresh) * state.size)
            layers.append(move(layer, (source.block,), graph.inputs[0]))
            calls.append(Keep(state, source, rows.rows * state.size))
    made = program(lowering, layers)
    calls += [Compute((0,), 0)] * (len(made.layers) - len(layers))
    return Calls(wide_weights(made) if model.fast else made, tuple(calls), 0)


def decision(
    model: GivenModel, lines: Timelines, made: Pieces, kept: Mapping[int, KeptRows], full: Program
) -> Calls:
    """The rows that a decision computes, and what follows from them. full: whose dense layers it shares"""
    found = _Decision(model.graph, lines, made, kept).calls(model.reference, model.fast)
    dense = {layer.node.index: layer for layer in full.layers if layer.type.startswith("fully_connected")}
    layers = []
    for layer in found.program.layers:
        same = dense.get(layer.node.index)
        if same is not None and layer.type == "fully_connected" and layer.node.index in made.whole:
            layers.append(replace(layer, type=same.type, kernel=same.kernel, arrays=same.arrays))
        else:
            layers.append(layer)
    return replace(found, program=replace(found.program, layers=tuple(layers)))


class _Decision:
    def __init__(self, graph: Graph, lines: Timelines, made: Pieces, kept: Mapping[int, KeptRows]) -> None:
        self.graph, self.lines, self.made, self.kept = graph, lines, made, kept
        self.tensors: list[Tensor] = list(graph.tensors)
        self.makers = {output: node for node in graph.nodes for output in node.outputs}
        self.reshaped = {
            self._owner(node.outputs[0], 0)[0] for node in graph.nodes if node.index in made.shapes
        }
        self.blocks = {tensor: self._blocks(tensor) for tensor in made.rows}
        self.parts: dict[tuple[int, Span], int] = {}  # rows of a tensor -> the tensor of the lowering
        self.places: dict[int, Place] = {}  # such a tensor -> where it lies, if not in a block of its own

    def calls(self, reference: Reference, fast: bool) -> Calls:
        """Lowers the nodes over rows, then puts the moves between."""
        nodes: list[Node] = []
        for node in self.graph.nodes:
            nodes += self._nodes(node)
        outputs = (*self.graph.outputs, *self.places)
        graph = replace(self.graph, tensors=tuple(self.tensors), nodes=tuple(nodes), outputs=outputs)
        lowering = lowered(graph, reference, fast=fast)
        of: dict[int, list[Layer]] = {}
        for layer in lowering.layers:
            of.setdefault(layer.node.index, []).append(layer)
        layers: list[Layer] = []
        calls: list[Call] = []
        step = 0
        for node in self.graph.nodes:
            own = of.get(node.index, [])
            moves = self._restored(node, own)
            layers += [layer for layer, _ in moves]
            calls += [call for _, call in moves]
            for layer in own:
                placed, call = self._placed(layer)
                layers.append(placed)
                calls.append(call)
            if node.outputs[0] in self.kept and own:
                state = self.kept[node.outputs[0]]
                newest = state.kept.newest
                source = self._place(node.outputs[0], newest)
                layers.append(move(own[0], (source.block,), self.graph.inputs[0]))
                calls.append(Keep(state, source, newest.rows * state.size))
                step = len(layers)
        made = program(lowering, layers, {self.graph.inputs[0]})
        calls += [Compute((0,), 0)] * (len(made.layers) - len(layers))
        return Calls(made, tuple(calls), step)

    # --- places ---

    def _owner(self, tensor: int, row: int) -> tuple[int, int]:
        """The tensor whose rows these are, under whatever shape, and the row there."""
        node = self.makers.get(tensor)
        while node is not None and node.index in self.made.shapes:
            row += self.lines.start(node, 0)
            tensor = node.inputs[0]
            node = self.makers.get(tensor)
        return tensor, row

    def _blocks(self, tensor: int) -> dict[Span, int]:
        """Spans of a tensor that lie in one piece -> the tensor of the memory plan.

        None: each computed span lies for itself.
        """
        rows = self.made.rows[tensor]
        whole = Span(0, self.lines.lines[tensor].rows)
        maker = self.makers.get(tensor)
        if maker is None or maker.index in self.made.whole:
            return {whole: tensor}
        apart = rows.kept is None and set(rows.read) <= set(rows.computed) and tensor not in self.reshaped
        if apart and whole not in rows.read:
            return {}
        found = {}
        for span in merged((*rows.read, *rows.computed)):
            found[span] = tensor if span == whole else self._tensor(tensor, span.rows)
        return found

    def _tensor(self, like: int, rows: int) -> int:
        picture = self.lines.views[like].picture(rows)
        made = replace(self.tensors[like], index=len(self.tensors), shape=picture)
        self.tensors.append(made)
        return made.index

    def _place(self, tensor: int, span: Span) -> Place:
        """Where rows lie that are in one block."""
        for block, index in self.blocks[tensor].items():
            if block.holds(span):
                return Place(index, (span.first - block.first) * self.lines.row_bytes(self.graph, tensor))
        raise AssertionError((tensor, span))

    def _part(self, tensor: int, span: Span) -> int:
        """Rows of a tensor as a tensor of the lowering."""
        if (tensor, span) not in self.parts:
            made = self._tensor(tensor, span.rows)
            owner, first = self._owner(tensor, span.first)
            if owner != tensor or self.blocks[owner]:
                self.places[made] = self._place(owner, Span(first, first + span.rows))
            self.parts[tensor, span] = made
        return self.parts[tensor, span]

    # --- nodes ---

    def _nodes(self, node: Node) -> list[Node]:
        """The node over the spans that are computed of it."""
        if node.index in self.made.whole:
            return [node]
        rows = self.made.rows.get(node.outputs[0])
        if rows is None or node.index in self.made.shapes:
            return []
        return [self._over(node, span) for span in rows.computed]

    def _over(self, node: Node, made: Span) -> Node:
        """The node that makes a span of its output."""
        found = self.lines.recipes[node.index]
        inputs = []
        options = dict(found.options)
        positions = max(len(node.inputs), *(position + 1 for position in found.constants), 1)
        for position in range(positions):
            read = found.reads.get(position)
            if read is not None:
                first = self.lines.start(node, position) + made.first * read.stride
                last = first + (made.rows - 1) * read.stride + read.count
                span = Span(first, last).within(Span(0, self.lines.lines[node.inputs[position]].rows))
                inputs.append(self._part(node.inputs[position], span))
                if "stride_h" in options:
                    options["part"] = (span.rows, made.rows, span.first - first)
            elif position in found.constants:
                values = found.constants[position]
                like = self.tensors[node.inputs[position]] if position < len(node.inputs) else self.tensors[0]
                constant = replace(
                    like, index=len(self.tensors), shape=values.shape, dtype=values.dtype.name, data=values
                )
                self.tensors.append(constant)
                inputs.append(constant.index)
            else:
                inputs.append(node.inputs[position])
        return replace(
            node,
            op=found.op,
            inputs=tuple(inputs),
            outputs=(self._part(node.outputs[0], made),),
            options=options,
        )

    # --- calls ---

    def _placed(self, layer: Layer) -> tuple[Layer, Compute]:
        """A layer with its tensors in their blocks."""
        inputs = [self.places.get(tensor, Place(tensor)) for tensor in layer.inputs]
        output = self.places.get(layer.output, Place(layer.output))
        alone = layer.output not in self.places
        made = replace(
            layer,
            inputs=tuple(place.block for place in inputs),
            output=output.block,
            in_place=tuple(tensor for tensor in layer.in_place if alone and tensor not in self.places),
        )
        return made, Compute(tuple(place.offset for place in inputs), output.offset)

    def _restored(self, node: Node, own: Sequence[Layer]) -> list[tuple[Layer, Call]]:
        """Kept rows of the node's output, to where they are read."""
        tensor = node.outputs[0]
        if tensor not in self.kept or not own:
            return []
        state = self.kept[tensor]
        found: list[tuple[Layer, Call]] = []
        for span in self.made.rows[tensor].copied:
            target = self._place(tensor, span)
            source = (span.first - state.kept.rows.first) * state.size
            call = Restore(state, source, target, span.rows * state.size)
            found.append((move(own[0], (), target.block), call))
        return found
