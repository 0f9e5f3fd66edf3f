# SPDX-License-Identifier: Apache-2.0
"""The incremental form of a model that pads or moves by several rows along time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from codegen.app.spec import Layout, Spec
from codegen.incremental.costs import CALL, GAIN, VALUE
from codegen.incremental.edges.pieces import Pieces, pieces
from codegen.incremental.edges.program import Calls, GivenModel, KeptRows, decision, full_run, states
from codegen.incremental.edges.timeline import Timelines, timelines
from codegen.kernels.layer import Layer, Program
from codegen.model.graph import Graph, Node
from codegen.ops.rows import ALL_TIME, NotIncrementalError
from codegen.passes.memory_plan import Plan, plan

WORD = 4  # bytes that a move takes with an instruction, about


@dataclass(frozen=True, eq=False)
class Edges:
    """A decision's calls, a full run's, and what lasts between them.

    frames, frame_size: of the cascade; hop: frames from one decision to the next
    kept: by tensor; phases: decisions after which all kept rows come again
    catch_up: missed frames from which on a full run takes less work
    names: of the decision's layers, in their order; computed: node -> its rows that a decision computes
    reasons: node -> why it is computed in full
    work: instructions of a decision, about
    """

    frames: int
    frame_size: int
    hop: int
    kept: tuple[KeptRows, ...]
    phases: int
    decision: Calls
    step: Plan
    run: Calls
    full: Plan
    names: tuple[str, ...]
    catch_up: int
    pieces: Pieces
    computed: dict[int, str]
    reasons: dict[int, str]
    work: int

    @property
    def transposed(self) -> bool:
        """The input tensor has time along its columns."""
        return False

    @property
    def states(self) -> tuple[KeptRows, ...]:
        """Rows that last, beside the cascade's frames."""
        return self.kept

    @property
    def state_names(self) -> tuple[str, ...]:
        """Of all memory that lasts, in C, after the app's prefix."""
        return ("frames", *(state.name for state in self.kept))

    @property
    def state_bytes(self) -> int:
        """Bytes that last from decision to decision: the cascade's frames and the kept rows."""
        return self.frames * self.frame_size + sum(state.nbytes for state in self.kept)

    @property
    def arena(self) -> int:
        """Bytes of the tensors between the layers, of a decision and of a full run."""
        return max(self.step.arena, self.full.arena)


@dataclass(frozen=True)
class _Choice:
    """cut: the first node whose rows are not kept; work: instructions of a decision, about"""

    cut: int
    work: int
    state: int


def edges(spec: Spec, graph: Graph, whole: Program) -> Edges:
    """The incremental form. NotIncrementalError where nothing is gained.

    whole: the calls of a full run, as they are lowered
    """
    assert spec.pipeline is not None
    cascade, cepstra = spec.pipeline.cascade, spec.pipeline.front_end.size
    frames, limit, hop = cascade.frames, cascade.memory, cascade.every
    if graph.variables:
        raise NotIncrementalError("the model keeps state of its own")
    if spec.classifier.layout is Layout.SCRAMBLED:
        raise NotIncrementalError("the picture is scrambled")
    lines = timelines(graph, frames, spec.classifier.layout)
    work = _Work(graph, lines, whole, hop)
    choices = [work.choice(cut) for cut in range(len(graph.nodes) + 1)]
    full = choices[0].work
    fitting = [choice for choice in choices if choice.state + frames * cepstra <= limit]
    best = min(fitting, key=lambda choice: (choice.work, choice.state), default=choices[0])
    if best.work * GAIN > full:
        raise NotIncrementalError(_why_not(choices, full, limit))
    made = work.pieces(best.cut)
    kept = states(graph, made, lines, whole.layers)
    model = GivenModel(graph, spec.classifier.reference, spec.classifier.fast)
    run = full_run(model, kept)
    step = decision(model, lines, made, kept, run.program)
    return Edges(
        frames=frames,
        frame_size=cepstra,
        hop=hop,
        kept=tuple(kept.values()),
        phases=math.lcm(*(state.kept.phases for state in kept.values())),
        decision=step,
        step=plan(step.program),
        run=run,
        full=plan(run.program),
        names=_names(run.program, step.program),
        catch_up=hop * (full // best.work + 1),
        pieces=made,
        computed=_computed(graph, lines, made),
        reasons=_reasons(graph, lines, made, best, limit),
        work=best.work,
    )


class _Work:
    """Counts what a decision takes, before anything is lowered."""

    def __init__(self, graph: Graph, lines: Timelines, whole: Program, hop: int) -> None:
        self.graph, self.lines, self.hop = graph, lines, hop
        self.macs: dict[int, int] = {}
        for layer in whole.layers:
            self.macs[layer.node.index] = self.macs.get(layer.node.index, 0) + layer.macs

    def pieces(self, cut: int) -> Pieces:
        """What is computed where rows of the nodes before `cut` are kept."""

        def wanted(node: Node) -> bool:
            return node.index < cut

        return pieces(self.graph, self.lines, self.hop, wanted)

    def choice(self, cut: int) -> _Choice:
        """Instructions and bytes of it."""
        made, work = self.pieces(cut), 0
        for node in self.graph.nodes:
            tensor = node.outputs[0]
            values, macs = self.graph.tensors[tensor].size, self.macs.get(node.index, 0)
            if node.index in made.whole:
                work += macs + VALUE * values + CALL
            elif tensor in made.rows and node.index not in made.shapes:
                rows, line = made.rows[tensor], self.lines.lines[tensor]
                computed = sum(span.rows for span in rows.computed)
                calls = CALL * (len(rows.computed) + 2 * (rows.kept is not None))
                moved = (
                    sum(span.rows for span in rows.copied) * self.lines.row_bytes(self.graph, tensor) // WORD
                )
                work += (macs + VALUE * values) * computed // line.rows + calls + moved
        state = sum(
            kept.rows.rows * self.lines.row_bytes(self.graph, tensor) * kept.phases
            for tensor, kept in made.kept.items()
        )
        return _Choice(cut, work, state)


def _why_not(choices: list[_Choice], full: int, limit: int) -> str:
    best = min(choices, key=lambda choice: (choice.work, choice.state))
    if best.work * GAIN > full:
        return "padding, strides or reach along time leave too few rows that the next decision can use"
    return (
        f"to keep its rows takes {best.state:,} bytes for {100 - 100 * best.work // full} % less work, "
        f"and [cascade] memory allows {limit:,}"
    )


def _computed(graph: Graph, lines: Timelines, made: Pieces) -> dict[int, str]:
    """Node -> the rows that a decision computes, of those that are not computed in full."""
    found = {}
    for node in graph.nodes:
        tensor = node.outputs[0]
        if node.index in made.whole or node.index in made.shapes or tensor not in made.rows:
            continue
        spans, rows = made.rows[tensor].computed, lines.lines[tensor].rows
        if sum(span.rows for span in spans) < rows:
            each = [
                str(span.first) if span.rows == 1 else f"{span.first} .. {span.end - 1}" for span in spans
            ]
            found[node.index] = f"rows {' and '.join(each)} of {rows}"
    return found


def _reasons(graph: Graph, lines: Timelines, made: Pieces, best: _Choice, limit: int) -> dict[int, str]:
    """Why nodes are computed in full."""
    found = dict(lines.reasons)
    makers = {output: node for node in graph.nodes for output in node.outputs}
    for node in graph.nodes:
        if node.index in found:
            continue
        line = lines.lines[node.outputs[0]]
        before = [makers[index] for index in node.inputs if index in makers]
        if line.rows == 1 and any(lines.lines[maker.outputs[0]].rows > 1 for maker in before):
            found[node.index] = ALL_TIME
        elif line.rows == 1 and before:
            found[node.index] = f"it reads layer {before[0].number} ({before[0].op}), computed in full"
        elif node.index >= best.cut:
            found[node.index] = f"what it takes to keep its rows is no gain, or above {limit:,} bytes"
        else:
            found[node.index] = "none of its rows stays what it was"
    return found


def _names(full: Program, step: Program) -> tuple[str, ...]:
    """Of each layer of a decision: that of the same layer in a full run, with what sets it apart."""
    of: dict[int, list[Layer]] = {}
    for layer in full.layers:
        if layer.kernel:
            of.setdefault(layer.node.index, []).append(layer)
    made: dict[int, list[Layer]] = {}
    for layer in step.layers:
        if layer.kernel:
            made.setdefault(layer.node.index, []).append(layer)
    names = {}
    taken: set[str] = set()
    for index, layers in made.items():
        models = of.get(index, [])
        each = max(1, len(models))
        for place, layer in enumerate(layers):
            model = models[place % each] if models else None
            if model is not None and _same(model, layer):
                names[id(layer)] = model.name
                continue
            part = place // each
            base = model.name if model is not None else layer.name
            name = f"{base}_{('first', 'last')[part] if part < 2 and len(layers) > each else 'part'}"
            while name in taken:
                name += "_more"
            taken.add(name)
            names[id(layer)] = name
    return tuple(names.get(id(layer), "") for layer in step.layers)


def _same(one: Layer, other: Layer) -> bool:
    """Their structs are the same."""
    return (one.kernel, one.fields, one.scratch) == (other.kernel, other.fields, other.scratch) and [
        (array.suffix, array.type, array.values.tobytes()) for array in one.arrays
    ] == [(array.suffix, array.type, array.values.tobytes()) for array in other.arrays]


def renamed(edges_: Edges) -> tuple[Layer, ...]:
    """A decision's layers under their names in C."""
    return tuple(
        replace(layer, name=name) if name else layer
        for layer, name in zip(edges_.step.program.layers, edges_.names, strict=True)
    )
