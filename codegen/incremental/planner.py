"""The incremental form of a model: what a decision computes when the cascade slides by one frame.

This is exact because every row of the input is quantised alike: one scale and one zero point for all frames,
the only kind of input tensor that the model door lets in, and one range for all features ([scale]).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codegen.app.spec import Layout, Spec
from codegen.common.reference import Reference
from codegen.incremental.dense import dense_layer, row_order, serves
from codegen.incremental.flat import flat_plan
from codegen.incremental.fused import parts
from codegen.incremental.partition import Cut, cut
from codegen.incremental.placement import sinks
from codegen.incremental.schedule import Call, Step, step
from codegen.incremental.state import History, Kept, Rows, Stream
from codegen.incremental.view import NotIncrementalError
from codegen.kernels.layer import Layer, Program
from codegen.model.graph import Graph
from codegen.passes.lower import lowered, program
from codegen.passes.memory_plan import Plan, plan


@dataclass(frozen=True, eq=False)
class Incremental:
    """The step, what it keeps, and the layers behind, which read what is kept.

    frames, frame_size: of the cascade; transposed: the input tensor has time along its columns
    calls: of the step, planned in `step`;
    streams: by the layer that reads them; works: those in the arena, and the tensors that they are
    before: calls that the layers behind need first; the first ones of `rest`, the plan of both
    catch_up: missed frames from which on a full run takes less work
    reasons: layer of the model -> why it is computed in full
    """

    frames: int
    frame_size: int
    transposed: bool
    kept: tuple[Kept, ...]
    calls: tuple[Call, ...]
    streams: dict[str, Stream]
    works: dict[str, int]
    step: Plan
    before: tuple[Call, ...]
    rest: Plan
    catch_up: int
    reasons: dict[int, str]

    @property
    def state(self) -> int:
        """Bytes that last from decision to decision."""
        return sum(kept.nbytes for kept in self.kept)

    @property
    def arena(self) -> int:
        """Bytes of the tensors between the layers, of the step and behind it."""
        return max(self.step.arena, self.rest.arena)


def incremental(spec: Spec, graph: Graph) -> Incremental | str:
    """The incremental form of an app's model, or the reason why it has none."""
    pipeline, reference = spec.pipeline, spec.classifier.reference
    if pipeline is None:
        return "a bare model has no cascade that slides"
    if any(node.op == "VAR_HANDLE" for node in graph.nodes):
        return "the model keeps state of its own"
    if not pipeline.cascade.slide:
        return "the cascade does not slide: no frame serves two decisions"
    frames, cepstra, layout = pipeline.cascade.frames, pipeline.mfcc.cepstra, spec.classifier.layout
    fast = spec.classifier.kernels == "fast"
    try:
        if layout is Layout.SCRAMBLED:
            return _scrambled(graph, frames, cepstra, fast, reference)
        made = cut(graph, frames, layout, lambda weights: serves(weights, fast))
        return _Planner(graph, made, fast, reference).plan(cepstra, layout)
    except NotIncrementalError as reason:
        return str(reason)


def _scrambled(graph: Graph, frames: int, cepstra: int, fast: bool, reference: Reference) -> Incremental:
    flat = flat_plan(graph, frames, cepstra, fast, reference)
    places = {flat.frame: "frame"}
    rest = program(flat.lowering, [*(call.layer for call in flat.before), *flat.rest], places)
    layers = tuple(call.layer for call in flat.calls)
    stepping = Program(flat.tensors, layers, flat.frame, flat.frame, kept=places)
    return Incremental(
        frames=frames,
        frame_size=cepstra,
        transposed=False,
        kept=flat.kept,
        calls=flat.calls,
        streams={},
        works={},
        step=plan(stepping),
        before=flat.before,
        rest=plan(replace(rest, tensors=flat.tensors)),
        catch_up=_catch_up(stepping, flat.calls, flat.kept, frames),
        reasons=flat.reasons,
    )


CALL, VALUE = 60, 8  # instructions of a call, and of a value that it reads or makes, beside its products


def _catch_up(program_: Program, calls: Sequence[Call], kept: Sequence[Kept], frames: int) -> int:
    """Missed frames from which on a full run takes less work than their steps, or fewer multiplications.

    A full run leaves out the rows before its first frame, and does not move what is kept whole.
    """

    def work(call: Call) -> int:
        tensors = (*call.layer.inputs, call.layer.output)
        values = sum(program_.tensors[tensor].size for tensor in tensors)
        return call.layer.macs + VALUE * values + CALL

    moved = sum(_moved(one) for one in kept)
    once = sum(work(call) for call in calls) + moved
    full = sum(work(call) * (frames - call.first) for call in calls)
    times = [(call.layer.macs, frames - call.first) for call in calls]
    multiplied = sum(macs * rows for macs, rows in times) // sum(macs for macs, _ in times)
    return min(frames, full // once + 1, multiplied + 1)


def _moved(kept: Kept) -> int:
    """Instructions that firmware/nn/stream_move.h takes when rows grow older, beyond those of a full run."""
    if not isinstance(kept, (Rows, History)):
        return 0
    row = kept.nbytes // kept.rows
    whole = row % 4 == 0 and row * (kept.rows - 1) % 32 == 0
    return kept.nbytes // 8 if whole else kept.nbytes * 5 // 4


class _Planner:
    def __init__(self, graph: Graph, made: Cut, fast: bool, reference: Reference) -> None:
        self.graph, self.cut, self.fast = graph, made, fast
        outputs = (*graph.outputs, *self._lasting())
        self.lowering = lowered(replace(made.graph, outputs=outputs), reference)

    def _lasting(self) -> tuple[int, ...]:
        """Newest rows that are kept: read later."""
        of = {self.cut.owner(tensor) for tensor in (*self.cut.whole, *self.cut.histories.values())}
        of |= {window.of for window in self.cut.windows.values()}
        return tuple(sorted(self.cut.rows[tensor] for tensor in of))

    def plan(self, cepstra: int, layout: Layout) -> Incremental:
        """The step and the rest."""
        roots = {tensor: self.lowering.root(row) for tensor, row in self.cut.rows.items()}
        steps = {id(node) for node in self.cut.graph.nodes[: self.cut.steps]}
        tensors = self.lowering.graph.tensors
        own = [layer for layer in self.lowering.layers if id(layer.node) in steps]
        if not any(layer.macs for layer in own):
            raise NotIncrementalError(self._first_reason())
        wanted = {self.lowering.root(row) for row in self._lasting()}
        found = parts(tensors, own, wanted)
        behind = [layer for layer in self.lowering.layers if id(layer.node) not in steps]
        to = sinks(self.cut, tensors, found, behind, roots)
        made = step(self.cut, tensors, found, roots, to)
        behind = [self._dense(layer, made) for layer in behind]
        stepping = _step_program(made)
        return Incremental(
            frames=self.cut.frames,
            frame_size=cepstra,
            transposed=layout is Layout.CEPSTRA_BY_FRAMES,
            kept=made.kept,
            calls=made.calls,
            streams=to.streams,
            works=made.works,
            step=plan(stepping),
            before=(),
            rest=plan(program(self.lowering, behind, made.places)),
            catch_up=_catch_up(stepping, made.calls, made.kept, self.cut.frames),
            reasons=self.cut.reasons,
        )

    def _first_reason(self) -> str:
        """Why nothing that multiplies is left."""
        for node in self.graph.nodes:
            if node.index in self.cut.reasons:
                return f"layer {node.index} ({node.op}): {self.cut.reasons[node.index]}"
        return "no layer multiplies"

    def _dense(self, layer: Layer, made: Step) -> Layer:
        """A dense layer over kept rows in place of the lowered one."""
        history: History | None = made.histories.get(layer.inputs[0])
        if history is None:
            return layer
        tensor = self.cut.histories[layer.inputs[0]]
        order = row_order(self.graph.tensors[tensor], self.cut.views[tensor])
        weights = self.graph.tensors[layer.node.inputs[1]]
        return dense_layer(layer, weights, order, history, self.fast)


def _step_program(made: Step) -> Program:
    source = next(tensor for tensor, place in made.places.items() if place == "frame")
    layers = tuple(call.layer for call in made.calls)
    return Program(made.tensors, layers, source, source, kept=made.places)
