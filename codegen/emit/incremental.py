"""The step as lines of C, with every tensor at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen.common.render import shape_text
from codegen.incremental.planner import Incremental
from codegen.incremental.schedule import Call
from codegen.incremental.state import FlatStream, History, Kept, Rows, Stream
from codegen.model.graph import Tensor
from codegen.passes.memory_plan import Plan

WIDTH = 110  # characters of a line, as in .clang-format

TYPES: Mapping[type[Kept], str] = {
    Stream: "stream",
    Rows: "stream_rows",
    History: "stream_history",
    FlatStream: "stream_flat",
}


@dataclass(frozen=True)
class Lines:
    """Lines of one call. due: the frame of a full run it waits for, 0 where an earlier call has waited."""

    lines: tuple[str, ...]
    comment: str
    due: int


@dataclass(frozen=True)
class Work:
    """A stream in the arena."""

    kept: Stream
    place: str


def types(planned: Incremental) -> set[str]:
    """Headers of nn/ that the step needs."""
    return {"stream", "stream_conv_2d", *(TYPES[type(kept)] for kept in planned.kept)}


def steps(planned: Incremental, name: str) -> list[Lines]:
    """The calls of the step, in order."""
    found, waited = [], 0
    for index, call in enumerate(planned.calls):
        due = call.first if call.first > waited else 0
        waited = max(waited, call.first)
        comment = _comment(planned.step.program.tensors, call) if call.named else ""
        found.append(Lines(_lines(planned.step, index, call, name), comment, due))
    return found


def before(planned: Incremental, name: str) -> list[Lines]:
    """The calls before the layers behind."""
    return [
        Lines(_lines(planned.rest, index, call, name), "", 0) for index, call in enumerate(planned.before)
    ]


def works(planned: Incremental, name: str) -> list[Work]:
    """The streams that last for one step."""
    return [
        Work(stream, wide(_in_arena(f"{name}_arena", planned.step.offset(planned.works[layer]))))
        for layer, stream in planned.streams.items()
        if layer in planned.works
    ]


def struct(kept: Kept, values: str, name: str) -> str:
    """The constant that describes kept memory."""
    fields: dict[str, object] = {"values": values}
    if isinstance(kept, Stream):
        fields |= {"columns": kept.columns, "left": kept.left, "rows": kept.rows, "depth": kept.depth}
        fields |= {"zero_point": kept.zero_point}
    elif isinstance(kept, Rows):
        fields |= {"rows": kept.rows, "size": kept.columns * kept.depth}
    elif isinstance(kept, History):
        fields |= {"rows": kept.rows, "size": kept.row}
    else:
        fields |= {"positions": kept.positions, "step": kept.step, "depth": kept.depth}
        fields |= {"rows": kept.rows, "width": kept.width, "columns": kept.columns}
    lines = [f"static const {TYPES[type(kept)]}_t {name}_{kept.name} = {{"]
    lines += [f"    .{field} = {value}," for field, value in fields.items()]
    return "\n".join([*lines, "};"])


def wide(place: str) -> str:
    """A place in the arena as int16_t."""
    return f"(int16_t *)(void *)({place})" if "+" in place else f"(int16_t *)(void *){place}"


def place(planned: Plan, tensor: int, name: str) -> str:
    """A tensor of the arena, with memory of its own, or a constant."""
    kept = planned.program.kept.get(tensor)
    if kept is not None:
        return kept.replace("@", f"{name}_")
    if planned.program.tensors[tensor].data is not None:
        return f"{name}_constant{tensor}"
    return _in_arena("arena", planned.offset(tensor))


def _in_arena(arena: str, offset: int | None) -> str:
    assert offset is not None
    return f"{arena} + {offset}" if offset else arena


def _lines(planned: Plan, index: int, call: Call, name: str) -> tuple[str, ...]:
    layer = call.layer
    inputs = [place(planned, tensor, name) for tensor in layer.inputs]
    named = {f"{at}_16": wide(text) for at, text in enumerate(inputs)}
    if "{out" in "".join(call.code):
        output = place(planned, layer.output, name)
        named |= {"out": output, "out_16": wide(output)}
    if layer.scratch:
        named["scratch"] = _in_arena("arena", planned.scratch[index])
    texts = [text.replace("@", f"{name}_").format(*inputs, **named) for text in call.code]
    return tuple(line for text in texts for line in wrapped(text))


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


def _comment(tensors: Sequence[Tensor], call: Call) -> str:
    node = call.layer.node
    made = tensors[node.outputs[0]].shape[1:]
    read = next((tensors[index] for index in node.inputs if index >= 0 and tensors[index].data is None), None)
    before_ = shape_text(read.shape[1:]) if read else ""
    note = f" {call.layer.note}" if call.layer.note else ""
    return f"{node.index} {node.op}{note}: {before_} -> {shape_text(made)}"
