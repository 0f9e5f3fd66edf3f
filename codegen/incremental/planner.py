# SPDX-License-Identifier: Apache-2.0
"""The incremental form of a model: what a decision computes when the cascade slides by one frame.

This is exact because every row of the input is quantised alike: one scale and one zero point for all frames,
the only kind of input tensor that the reader lets in, and one range for all features ([scale]).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from codegen.app.spec import Layout, Spec
from codegen.common.reference import Reference
from codegen.incremental.calls import Frame, Place, Task
from codegen.incremental.costs import CALL, GAIN, VALUE
from codegen.incremental.dense import dense_layer, row_order, serves
from codegen.incremental.edges import Edges, edges
from codegen.incremental.flat import flat_plan
from codegen.incremental.fused import fused_layers
from codegen.incremental.partition import Partition, partition
from codegen.incremental.placement import place_rows
from codegen.incremental.schedule import Schedule, schedule
from codegen.incremental.state import History, Rows, State, Stream
from codegen.kernels.layer import Layer, Program
from codegen.model.graph import Graph
from codegen.ops.rows import NotIncrementalError
from codegen.passes.lower import lowered, program
from codegen.passes.memory_plan import Plan, plan
from codegen.passes.output_pairs import paired


@dataclass(frozen=True, eq=False)
class Incremental:
    """The schedule of a step, the state that it keeps, and the layers after it, which read that.

    frames, frame_size: of the cascade; transposed: the input tensor has time along its columns
    schedule: the tasks of a step; step: their memory
    streams: by the layer that reads them; streams_in_arena: of those, which tensors of the arena they are
    before: tasks that the layers after the step need first; the first ones of `rest`, the memory of both
    places: of tensors that lie neither in the arena nor with the caller
    catch_up: missed frames from which on a full run takes less work
    reasons: layer of the model -> why it is computed in full
    """

    frames: int
    frame_size: int
    transposed: bool
    states: tuple[State, ...]
    schedule: tuple[Task, ...]
    streams: dict[str, Stream]
    streams_in_arena: dict[str, int]
    step: Plan
    before: tuple[Task, ...]
    rest: Plan
    places: Mapping[int, Place]
    catch_up: int
    reasons: dict[int, str]

    @property
    def phases(self) -> int:
        """Full runs in a row after which a step may follow."""
        return 1

    @property
    def state_names(self) -> tuple[str, ...]:
        """Of all memory that lasts, in C, after the app's prefix."""
        return tuple(state.name for state in self.states)

    @property
    def state_bytes(self) -> int:
        """Bytes that last from decision to decision."""
        return sum(state.nbytes for state in self.states)

    def work(self, every: int) -> int:
        """Instructions of a decision after so many new frames, about."""

        def of(program_: Program, layers: Sequence[Layer]) -> int:
            sizes = [program_.tensors[layer.output].size for layer in layers]
            return sum(layer.macs for layer in layers) + sum(VALUE * size + CALL for size in sizes)

        step, rest = self.step.program, self.rest.program
        computed = [task.layer for task in self.schedule if task.computes]
        return every * of(step, computed) + of(rest, rest.layers)

    @property
    def arena(self) -> int:
        """Bytes of the tensors between the layers, of the step and after it."""
        return max(self.step.arena, self.rest.arena)


def incremental(spec: Spec, graph: Graph, full: Program) -> Incremental | Edges | str:
    """The incremental form of an app's model that takes the least work, or the reason why it has none.

    full: the calls of a full run, as they are lowered
    """
    rows = row_by_row(spec, graph)
    if spec.pipeline is None or not spec.pipeline.cascade.slide:
        return rows
    every = spec.pipeline.cascade.every
    if isinstance(rows, Incremental) and every >= rows.catch_up:
        rows = f"the {every} new frames of a decision take more work one after the other than all at once"
    try:
        found = edges(spec, graph, full)
    except NotIncrementalError as reason:
        if isinstance(rows, str) and rows != str(reason):
            return f"{rows}; {reason}"
        return rows
    return rows if isinstance(rows, Incremental) and found.work * GAIN > rows.work(every) else found


def row_by_row(spec: Spec, graph: Graph) -> Incremental | str:
    """The form that computes the newest row of every layer, or the reason why there is none."""
    pipeline, reference = spec.pipeline, spec.classifier.reference
    if pipeline is None:
        return "a bare model has no cascade that slides"
    if graph.variables:
        return "the model keeps state of its own"
    if not pipeline.cascade.slide:
        return "the cascade does not slide: no frame serves two decisions"
    frames, cepstra, layout = pipeline.cascade.frames, pipeline.front_end.size, spec.classifier.layout
    fast = spec.classifier.kernels == "fast"
    try:
        if layout is Layout.SCRAMBLED:
            return _scrambled(graph, frames, cepstra, fast, reference)
        made = partition(graph, frames, layout, lambda weights: serves(weights, fast))
        return _Planner(graph, made, fast, reference).plan(cepstra, layout)
    except NotIncrementalError as reason:
        return str(reason)


def _scrambled(graph: Graph, frames: int, cepstra: int, fast: bool, reference: Reference) -> Incremental:
    flat = flat_plan(graph, frames, cepstra, fast, reference)
    rest = program(flat.lowering, [*(task.layer for task in flat.before), *flat.rest], flat.places)
    layers = tuple(task.layer for task in flat.tasks)
    stepping = Program(flat.tensors, layers, flat.frame, flat.frame, outside=frozenset(flat.places))
    return Incremental(
        frames=frames,
        frame_size=cepstra,
        transposed=False,
        states=flat.states,
        schedule=flat.tasks,
        streams={},
        streams_in_arena={},
        step=plan(stepping),
        before=flat.before,
        rest=plan(replace(rest, tensors=flat.tensors)),
        places=flat.places,
        catch_up=_catch_up(stepping, flat.tasks, flat.states, frames),
        reasons=flat.reasons,
    )


def _catch_up(stepping: Program, tasks: Sequence[Task], states: Sequence[State], frames: int) -> int:
    """Missed frames from which on a full run takes less work than their steps, or fewer multiplications.

    A full run leaves out the rows before its first frame, and does not move what is kept whole.
    """

    def work(task: Task) -> int:
        tensors = (*task.layer.inputs, task.layer.output)
        values = sum(stepping.tensors[tensor].size for tensor in tensors)
        return task.layer.macs + VALUE * values + CALL

    moved = sum(_moved(state) for state in states)
    once = sum(work(task) for task in tasks) + moved
    full = sum(work(task) * (frames - task.first) for task in tasks)
    times = [(task.layer.macs, frames - task.first) for task in tasks]
    multiplied = sum(macs * rows for macs, rows in times) // sum(macs for macs, _ in times)
    return min(frames, full // once + 1, multiplied + 1)


def _moved(state: State) -> int:
    """Instructions that firmware/nn/stream_move.h takes when rows grow older, beyond those of a full run."""
    if not isinstance(state, (Rows, History)):
        return 0
    row = state.nbytes // state.rows
    whole = row % 4 == 0 and row * (state.rows - 1) % 32 == 0
    return state.nbytes // 8 if whole else state.nbytes * 5 // 4


class _Planner:
    def __init__(self, graph: Graph, made: Partition, fast: bool, reference: Reference) -> None:
        self.graph, self.partition, self.fast = graph, made, fast
        outputs = (*graph.outputs, *self._lasting())
        self.lowering = lowered(replace(made.graph, outputs=outputs), reference, fast=fast)

    def _lasting(self) -> tuple[int, ...]:
        """Newest rows that are kept: read later."""
        of = {
            self.partition.owner(tensor)
            for tensor in (*self.partition.whole, *self.partition.histories.values())
        }
        of |= {window.of for window in self.partition.windows.values()}
        return tuple(sorted(self.partition.rows[tensor] for tensor in of))

    def plan(self, cepstra: int, layout: Layout) -> Incremental:
        """The step and the rest."""
        roots = {tensor: self.lowering.root(row) for tensor, row in self.partition.rows.items()}
        stepping = {id(node) for node in self.partition.stepping}
        tensors = self.lowering.graph.tensors
        own = [layer for layer in self.lowering.layers if id(layer.node) in stepping]
        if not any(layer.macs for layer in own):
            raise NotIncrementalError(self._first_reason())
        wanted = {self.lowering.root(row) for row in self._lasting()}
        layers = fused_layers(tensors, paired(tensors, own), wanted)
        after = [layer for layer in self.lowering.layers if id(layer.node) not in stepping]
        placement = place_rows(self.partition, tensors, layers, after, roots)
        made = schedule(self.partition, tensors, layers, roots, placement)
        after = paired(tensors, [self._dense(layer, made) for layer in after])
        program_ = _step_program(made)
        return Incremental(
            frames=self.partition.frames,
            frame_size=cepstra,
            transposed=layout is Layout.CEPSTRA_BY_FRAMES,
            states=made.states,
            schedule=made.tasks,
            streams=placement.streams,
            streams_in_arena=made.streams_in_arena,
            step=plan(program_),
            before=(),
            rest=plan(program(self.lowering, after, made.places)),
            places=made.places,
            catch_up=_catch_up(program_, made.tasks, made.states, self.partition.frames),
            reasons=self.partition.reasons,
        )

    def _first_reason(self) -> str:
        """Why nothing that multiplies is left."""
        for node in self.graph.nodes:
            if node.index in self.partition.reasons:
                return f"layer {node.number} ({node.op}): {self.partition.reasons[node.index]}"
        return "no layer multiplies"

    def _dense(self, layer: Layer, made: Schedule) -> Layer:
        """A dense layer over kept rows in place of the lowered one."""
        history: History | None = made.histories.get(layer.inputs[0])
        if history is None:
            return layer
        tensor = self.partition.histories[layer.inputs[0]]
        order = row_order(self.graph.tensors[tensor], self.partition.views[tensor])
        weights = self.graph.tensors[layer.node.inputs[1]]
        return dense_layer(layer, weights, order, history, self.fast)


def _step_program(made: Schedule) -> Program:
    source = next(tensor for tensor, place in made.places.items() if isinstance(place, Frame))
    layers = tuple(task.layer for task in made.tasks)
    return Program(made.tensors, layers, source, source, outside=frozenset(made.places))
