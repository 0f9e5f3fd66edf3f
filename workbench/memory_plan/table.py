# SPDX-License-Identifier: Apache-2.0
"""The memory plan for a person: a table, and numbers for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.app.tables import scratch_bytes
from codegen.common.render import shape_text
from codegen.compile import Compiled
from codegen.incremental import Edges, Incremental
from codegen.incremental.edges.program import KeptRows
from codegen.incremental.state import FlatStream, Rows, State, Stream
from codegen.passes.memory_plan import Block, Plan

FEATURES, FRAME, DECISION, MODEL = "features", "each frame", "each decision", "model"
FULL = "full run"


@dataclass(frozen=True)
class Call:
    """A column of the plan. layer: its index in the model; None for the features' stages."""

    phase: str
    layer: int | None
    op: str

    @property
    def name(self) -> str:
        """7 CONV_2D."""
        return self.op if self.layer is None else f"{self.layer} {self.op}"


@dataclass(frozen=True)
class Row:
    """Bytes of the arena in use from call `first` to call `last`, both included."""

    offset: int
    size: int
    first: int
    last: int
    text: str
    tensors: tuple[str, ...]  # their names; none: working memory


@dataclass(frozen=True)
class KeptRow:
    """Memory of its own that lasts from decision to decision."""

    name: str
    size: int
    text: str


@dataclass(frozen=True)
class MemoryPlan:
    """All memory of a model, and in an app that of the features before it, which share the arena.

    needed: bytes between the model's layers; variables: of a streaming model; ends: input and output of a
    model, the caller's memory. In an app that computes incrementally `kept` has its input.
    """

    calls: tuple[Call, ...]
    rows: tuple[Row, ...]
    kept: tuple[KeptRow, ...]
    needed: int
    variables: int
    ends: tuple[int, int]

    @property
    def arena(self) -> int:
        """Bytes of the arena."""
        return max((row.offset + row.size for row in self.rows), default=0)

    @property
    def alive(self) -> list[int]:
        """Bytes of the arena in use at each call."""
        calls = range(len(self.calls))
        return [sum(row.size for row in self.rows if row.first <= call <= row.last) for call in calls]

    @property
    def bound(self) -> int:
        """The most bytes alive at one call: no arena can be smaller."""
        return max(self.alive, default=0)

    @property
    def history(self) -> int:
        """Bytes kept from decision to decision."""
        return sum(row.size for row in self.kept)


def memory_plan(compiled: Compiled) -> MemoryPlan:
    """The plan by which the app's sources are generated."""
    spec, found = compiled.spec, compiled.plan
    if isinstance(found, Incremental):
        parts = [(FRAME, found.step), (DECISION, found.rest)]
        kept = tuple(KeptRow(one.name, one.nbytes, _kept_text(one)) for one in found.states)
        needed = found.arena
    elif isinstance(found, Edges):
        parts = [(DECISION, found.step), (FULL, found.full)]
        frames = KeptRow("frames", found.frames * found.frame_size, "the cascade's frames, of int8")
        kept = (frames, *(KeptRow(one.name, one.nbytes, _edge_text(one)) for one in found.kept))
        needed = found.arena
    else:
        parts, kept, needed = [(MODEL, found)], (), found.arena
    calls: list[Call] = []
    rows: list[Row] = []
    if spec.pipeline is not None:
        calls.append(
            Call(FEATURES, None, "MFCC" if spec.pipeline.front_end.section == "mfcc" else "front end")
        )
        size = scratch_bytes(spec.pipeline)
        rows.append(Row(0, size, 0, 0, "working memory of the features, before the model runs", ()))
    for phase, planned in parts:
        start = len(calls)
        calls += [Call(phase, layer.node.number, layer.node.op) for layer in planned.program.layers]
        if isinstance(found, Incremental) and phase == FRAME:
            for index in (index for index, task in enumerate(found.schedule) if not task.computes):
                node = found.schedule[index].layer.node  # no layer: it makes space in what the layer reads
                calls[start + index] = Call(phase, node.number, f"{node.op} input")
        if isinstance(found, Edges):
            for index, layer in enumerate(planned.program.layers):
                if not layer.kernel:  # moves rows from or to those that are kept
                    calls[start + index] = Call(phase, layer.node.number, f"{layer.node.op} rows")
        rows += [_row(planned, block, start) for block in planned.blocks]
    last = parts[-1][1]
    program = last.program
    ins, outs = (program.input, *program.more_inputs), (program.output, *program.more_outputs)
    ends = sum(program.tensors[one].nbytes for one in ins), sum(program.tensors[one].nbytes for one in outs)
    return MemoryPlan(tuple(calls), tuple(rows), kept, needed, last.state, ends)


def _row(planned: Plan, block: Block, start: int) -> Row:
    names = tuple(planned.program.tensors[tensor].name for tensor in block.tensors)
    text = _block_text(planned, block)
    return Row(block.offset, block.size, start + block.first, start + block.last, text, names)


def _block_text(planned: Plan, block: Block) -> str:
    """What lies there: the output of 0 CONV_2D, 25 x 5 x 64; then in place those of 1, 2."""
    layers = planned.program.layers
    if not block.tensors:
        node = layers[block.first].node
        return f"working memory of {node.number} {node.op}"
    makers = [next(layer.node for layer in layers if layer.output == tensor) for tensor in block.tensors]
    shape = planned.program.tensors[block.tensors[0]].shape
    shape = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    text = f"output of {makers[0].number} {makers[0].op}, {shape_text(shape or (1,))}"
    if len(makers) > 1:
        text += f"; then in place those of {', '.join(str(node.number) for node in makers[1:])}"
    return text


def _edge_text(kept: KeptRows) -> str:
    """What is kept of a layer's output."""
    rows, phases = kept.kept.rows, kept.kept.phases
    times = f", {phases} times: for every {phases}. decision" if phases > 1 else ""
    return f"rows {rows.first} .. {rows.end - 1} that {kept.reader} made, {kept.size:,} B each{times}"


def _kept_text(kept: State) -> str:
    """What is kept of a tensor, and for which layer."""
    if isinstance(kept, FlatStream):
        return f"newest positions that {kept.reader} reads, {kept.positions} x {kept.depth} of int16"
    what = "newest rows" if isinstance(kept, Stream) else "rows"
    kind = "int8" if isinstance(kept, Rows) else "int16"
    return f"{what} that {kept.reader} reads, {shape_text((kept.rows, kept.columns, kept.depth))} of {kind}"


def table(title: str, memory: MemoryPlan) -> str:
    """A line a block, the ends and the totals."""
    head = ("offset", "bytes", "from", "to", "what")
    rows = [
        (f"{row.offset:,}", f"{row.size:,}", memory.calls[row.first].name, memory.calls[row.last].name)
        for row in memory.rows
    ]
    widths = [max(len(row[column]) for row in [head[:4], *rows]) for column in range(4)]
    lines = [title, _line(head[:4], widths, head[4])]
    phase = MODEL
    for row, cells in zip(memory.rows, rows, strict=True):
        if memory.calls[row.first].phase != phase:
            phase = memory.calls[row.first].phase
            lines.append(f"  {phase}:")
        lines.append(_line(cells, widths, row.text))
    amounts = [("arena", memory.arena, "")]
    if memory.needed != memory.arena:
        amounts.append(("of it", memory.needed, "between the model's layers"))
    amounts.append(("lower bound", memory.bound, _bound_text(memory)))
    if memory.variables:
        amounts.append(("variables", memory.variables, "kept from run to run"))
    if memory.kept:
        amounts.append(
            ("history", memory.history, "kept from decision to decision by the incremental layers:")
        )
    for name, size, text in amounts:
        lines.append(f"  {name:<12} {size:>9,} B  {text}".rstrip())
    width = max((len(row.name) for row in memory.kept), default=0)
    lines += [f"    {row.name:<{width}} {row.size:>9,} B  {row.text}" for row in memory.kept]
    if memory.kept:
        lines.append(f"  {'in all':<12} {memory.arena + memory.history:>9,} B")
    source = "the history's" if memory.kept else f"{memory.ends[0]:,} B, the caller's"
    lines.append(f"  input {source}; output {memory.ends[1]:,} B, the caller's")
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], text: str) -> str:
    offset, size, first, last = cells
    place = f"{offset:>{widths[0]}}  {size:>{widths[1]}}"
    return f"  {place}  {first:<{widths[2]}}  {last:<{widths[3]}}  {text}"


def _bound_text(memory: MemoryPlan) -> str:
    if not memory.bound:
        return ""
    fullest = memory.calls[memory.alive.index(memory.bound)].name
    above = 100 * (memory.arena - memory.bound) / memory.bound
    return f"alive at {fullest}" + (f", {above:.1f} % above it" if above else ": reached")


def json_object(memory: MemoryPlan) -> dict[str, object]:
    """The same for scripts. Bytes; calls are indices of `layers`."""
    return {
        "arena": memory.arena,
        "needed": memory.needed,
        "bound": memory.bound,
        "variables": memory.variables,
        "history": memory.history,
        "kept": [{"name": row.name, "bytes": row.size} for row in memory.kept],
        "layers": [
            {"index": call.layer, "op": call.op, "phase": call.phase, "alive": alive}
            for call, alive in zip(memory.calls, memory.alive, strict=True)
        ],
        "blocks": [
            {
                "tensors": list(row.tensors),
                "offset": row.offset,
                "bytes": row.size,
                "first": row.first,
                "last": row.last,
            }
            for row in memory.rows
        ],
    }
