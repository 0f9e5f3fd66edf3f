# SPDX-License-Identifier: Apache-2.0
"""The schedule of a step as lines of C, with every tensor at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen.common.render import shape_text
from codegen.incremental import calls as c
from codegen.incremental.calls import Call, Place, Target, Task
from codegen.incremental.planner import Incremental
from codegen.incremental.state import FlatStream, History, Rows, State, Stream
from codegen.kernels.layer import Layer
from codegen.model.graph import Tensor
from codegen.passes.memory_plan import Plan

WIDTH = 110  # characters of a line, as in .clang-format

TYPES: Mapping[type[State], str] = {
    Stream: "stream",
    Rows: "stream_rows",
    History: "stream_history",
    FlatStream: "stream_flat",
}


@dataclass(frozen=True)
class TaskLines:
    """C of one task. due: the frame of a full run it waits for, 0 where an earlier task has waited."""

    lines: tuple[str, ...]
    comment: str
    due: int


@dataclass(frozen=True)
class StepBody:
    """The body of NAME_step, and which of its variables it needs."""

    tasks: tuple[TaskLines, ...]
    arena: bool
    time: bool


@dataclass(frozen=True)
class ArenaStream:
    """A stream in the arena."""

    stream: Stream
    place: str


def types(planned: Incremental) -> set[str]:
    """Headers of nn/ that the step needs."""
    return {"stream", "stream_conv_2d", *(TYPES[type(state)] for state in planned.states)}


def step(planned: Incremental, name: str) -> StepBody:
    """The tasks of a step, in order."""
    spelling = _Spelling(planned.step, planned.places, name)
    found, waited = [], 0
    for index, task in enumerate(planned.schedule):
        due = task.first if task.first > waited else 0
        waited = max(waited, task.first)
        comment = layer_comment(planned.step.program.tensors, task.layer) if task.computes else ""
        found.append(TaskLines(spelling.task(index, task), comment, due))
    return StepBody(tuple(found), spelling.arena, spelling.time or any(lines.due for lines in found))


def before(planned: Incremental, name: str) -> list[TaskLines]:
    """The tasks before the layers that come after the step."""
    spelling = _Spelling(planned.rest, planned.places, name)
    return [TaskLines(spelling.task(index, task), "", 0) for index, task in enumerate(planned.before)]


def arena_streams(planned: Incremental, name: str) -> list[ArenaStream]:
    """The streams that last for one step."""
    found = []
    for layer, stream in planned.streams.items():
        if layer in planned.streams_in_arena:
            offset = planned.step.offset(planned.streams_in_arena[layer])
            found.append(ArenaStream(stream, wide(in_arena(f"(int8_t *){name}_arena", offset))))
    return found


def struct(state: State, values: str, name: str) -> str:
    """The constant that describes a state."""
    fields: dict[str, object] = {"values": values}
    if isinstance(state, Stream):
        fields |= {"columns": state.columns, "left": state.left, "rows": state.rows, "depth": state.depth}
        fields |= {"zero_point": state.zero_point}
    elif isinstance(state, Rows):
        fields |= {"rows": state.rows, "size": state.columns * state.depth}
    elif isinstance(state, History):
        fields |= {"rows": state.rows, "size": state.row}
    else:
        fields |= {"positions": state.positions, "step": state.step, "depth": state.depth}
        fields |= {"rows": state.rows, "width": state.width, "columns": state.columns}
    lines = [f"static const {TYPES[type(state)]}_t {name}_{state.name} = {{"]
    lines += [f"    .{field} = {value}," for field, value in fields.items()]
    return "\n".join([*lines, "};"])


def wide(place: str) -> str:
    """A place in the arena as int16_t."""
    return f"(int16_t *)(void *)({place})" if "+" in place else f"(int16_t *)(void *){place}"


def in_arena(arena: str, offset: int | None) -> str:
    """A place in the arena."""
    assert offset is not None
    return f"{arena} + {offset}" if offset else arena


def state_place(place: Place, name: str) -> str:
    """The memory of a tensor that lies neither in the arena nor with the caller."""
    match place:
        case c.Frame():
            return "frame"
        case c.AllRows(state):
            return f"{name}_{state.name}_values"
        case c.LastRows(rows, first, reach):
            return f"stream_rows_last(&{name}_{rows.name}, {_time(first)}, {reach})"
        case c.NextRow(rows):
            return _row(rows)


def _row(rows: Rows) -> str:
    """The variable that holds the place of a newest row."""
    return rows.name.removesuffix("s")


def _time(first: int) -> str:
    """The row's number in a full run."""
    return f"time - {first}" if first else "time"


class _Spelling:
    """Spells calls; `arena` and `time` say whether one of them has used that variable."""

    def __init__(self, plan: Plan, places: Mapping[int, Place], name: str) -> None:
        self.plan, self.places, self.name = plan, places, name
        self.arena = self.time = False

    def task(self, index: int, task: Task) -> tuple[str, ...]:
        """The lines of a task. index: in the plan"""
        return tuple(line for call in task.calls for line in wrapped(self._call(index, call)))

    def _call(self, index: int, call: Call) -> str:  # noqa: PLR0911, PLR0912 (one a kind)
        match call:
            case c.NextRow(rows, first):
                return (
                    f"int8_t *const {_row(rows)} = stream_rows_next({self._of(rows)}, {self._time(first)});"
                )
            case c.Compute(layer):
                places = [self._place(tensor) for tensor in (*layer.inputs, layer.output)]
                if layer.scratch:
                    places.append(self._arena(self.plan.scratch[index]))
                return f"{layer.kernel}(&{self.name}_{layer.name}, {', '.join(places)});"
            case c.Convolve(layer, source, target):
                read = self._wide(source.tensor) if isinstance(source, c.InArena) else self._values(source)
                return f"stream_conv_2d(&{self.name}_{layer.name}, {read}, {self._target(target)});"
            case c.Age(stream):
                return f"stream_age({self._of(stream)});"
            case c.Clear(stream):
                return f"stream_clear({self._of(stream)});"
            case c.Push(stream, row):
                return f"stream_push({self._of(stream)}, {self._place(row)}, {stream.inner});"
            case c.Unfold(stream, rows, count, apart):
                place = self._place(rows)
                return f"stream_unfold({self._of(stream)}, {place}, {stream.inner}, {count}, {apart});"
            case c.Narrow(source, output, columns, channels, pitch):
                made, read = self._place(output), self._wide(source)
                return f"stream_narrow({made}, {columns}, {channels}, {pitch}, {read});"
            case c.Widen(target, row):
                return f"stream_widen({self._target(target)}, {self._place(row)}, {target.history.row});"
            case c.PushRow(rows, first, row):
                return f"stream_rows_push({self._of(rows)}, {self._time(first)}, {self._place(row)});"
            case c.FlatShift(stream):
                return f"stream_flat_shift({self._of(stream)});"
            case c.FlatPush(stream, frame):
                return f"stream_flat_push({self._of(stream)}, {self._place(frame)});"
            case c.FlatUnfold(stream, output):
                return f"stream_flat_unfold({self._of(stream)}, {stream.run}, {self._wide(output)});"
            case c.FlatRows(stream, output, count, size, apart):
                values = f"{self.name}_{stream.name}_values"
                return f"stream_flat_rows({values}, {count}, {size}, {apart}, {self._wide(output)});"

    def _of(self, state: State) -> str:
        """The constant that describes a state."""
        return f"&{self.name}_{state.name}"

    def _values(self, stream: Stream) -> str:
        return f"{self.name}_{stream.name}.values"

    def _target(self, target: Target) -> str:
        match target:
            case c.InArena(tensor):
                return self._wide(tensor)
            case c.NewestOfStream(stream):
                return f"stream_newest({self._of(stream)})"
            case c.NextOfHistory(history, first):
                return f"stream_history_next({self._of(history)}, {self._time(first)})"
            case c.NewestOfFlat(stream):
                return f"stream_flat_newest({self._of(stream)})"

    def _place(self, tensor: int) -> str:
        """A tensor, as int8_t *."""
        place = self.places.get(tensor)
        if place is not None:
            self.time |= isinstance(place, c.LastRows)
            return state_place(place, self.name)
        if self.plan.program.tensors[tensor].data is not None:
            return f"{self.name}_constant{tensor}"
        return self._arena(self.plan.offset(tensor))

    def _wide(self, tensor: int) -> str:
        """A tensor, as int16_t *."""
        return wide(self._place(tensor))

    def _arena(self, offset: int | None) -> str:
        self.arena = True
        return in_arena("arena", offset)

    def _time(self, first: int) -> str:
        self.time = True
        return _time(first)


def wrapped(text: str, indent: int = 4) -> list[str]:
    """A call in lines of WIDTH characters, broken between arguments, those below the first."""
    if indent + len(text) <= WIDTH:
        return [text]
    column = text.index("(") + 1
    lines, line = [], text[:column]
    for argument in text[column:].split(", "):
        if line[column:].strip() and indent + len(line) + len(argument) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = " " * column
        line += argument + ("" if argument.endswith(";") else ", ")
    return [*lines, line]


def layer_comment(tensors: Sequence[Tensor], layer: Layer) -> str:
    """Number, operator and shapes of a layer, without its first dimension."""
    node = layer.node
    made = tensors[node.outputs[0]].shape[1:] or (1,)
    read = next((tensors[index] for index in node.inputs if index >= 0 and tensors[index].data is None), None)
    before = shape_text(read.shape[1:] or (1,)) if read else ""
    note = f" {layer.note}" if layer.note else ""
    return f"{node.number} {node.op}{note}: {before} -> {shape_text(made)}"
