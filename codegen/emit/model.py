# SPDX-License-Identifier: Apache-2.0
"""The model as C: constants, one struct a layer, and run(), one list of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen.common.reference import Reference
from codegen.common.render import c_rows, c_words, comment, render, shape_text, short
from codegen.compile import Compiled
from codegen.emit import edges as edge_calls
from codegen.emit import incremental as source
from codegen.emit.in_ram import charged, layers_in_ram, owned
from codegen.emit.modes import mode_plan, mode_table
from codegen.incremental import Edges, Incremental
from codegen.incremental.calls import Place
from codegen.kernels.layer import Array, Layer, Program
from codegen.model.graph import Tensor, Variable, places
from codegen.model.variables import uniform
from codegen.passes.memory_plan import Plan

OWNERS = {
    Reference.LITERT: "LiteRT's reference kernels",
    Reference.TFLM: "TensorFlow Lite Micro",
}


NO_PLACES: Mapping[int, Place] = {}  # of a model that is computed in full


@dataclass(frozen=True)
class Call:
    """A line of run(). arguments: after the layer's struct."""

    layer: Layer
    comment: str
    arguments: tuple[str, ...]
    copied: tuple[int, str, int] | None = None  # where every layer's output is wanted: offset, place, bytes


def model_source(compiled: Compiled, scratch: int) -> str:
    """The text of NAME_model.c. scratch: bytes that stages outside the model, or models that are run after
    it, need of the arena."""
    planned = compiled.plan
    if isinstance(planned, Incremental):
        return _incremental_source(compiled, planned, scratch)
    if isinstance(planned, Edges):
        return _edges_source(compiled, planned, scratch)
    name, graph = compiled.spec.name, compiled.graph
    layers = planned.program.layers
    calls = [_call(planned, index, name) for index in range(len(layers))]
    for made in compiled.layer_outputs:
        place = _place(planned, made.tensor.index, name, NO_PLACES)
        calls[made.call] = replace(calls[made.call], copied=(made.offset, place, made.tensor.nbytes))
    return render(
        "model.c.in",
        **_common(compiled, planned, layers),
        arena=max(planned.arena, scratch, 16),
        needed=planned.arena,
        scratch=scratch,
        layers=layers,
        calls=calls,
        output_bytes=compiled.output_bytes,
        tensors=planned.program.tensors,
        types=sorted({layer.type for layer in layers}),
        states=[_state(graph.variables[index]) for index in sorted(planned.program.states.values())],
        constants=_constants([planned]),
        incremental=None,
        edges=None,
    )


def _incremental_source(compiled: Compiled, rows: Incremental, scratch: int) -> str:
    """The model computed row by row."""
    name = compiled.spec.name
    stepping = tuple(task.layer for task in rows.schedule if task.computes)
    total = len(rows.rest.program.layers)
    layers = (*stepping, *rows.rest.program.layers[len(rows.before) :])
    return render(
        "model.c.in",
        **_common(compiled, rows.rest, layers),
        calls=[_call(rows.rest, index, name, rows.places) for index in range(len(rows.before), total)],
        output_bytes=compiled.output_bytes,
        arena=max(rows.arena, scratch, 16),
        needed=rows.arena,
        scratch=scratch,
        layers=layers,
        tensors=rows.step.program.tensors,
        types=sorted({*(layer.type for layer in layers), *source.types(rows)}),
        states=[],
        constants=_constants([rows.step, rows.rest]),
        incremental=rows,
        edges=None,
        kinds={state: source.TYPES[type(state)] for state in rows.states},
        arena_streams=source.arena_streams(rows, name),
        modes=mode_table(mode_plan(compiled)).splitlines(),
        step=source.step(rows, name),
        before=source.before(rows, name),
        struct=lambda state, values: source.struct(state, values, name),
    )


def _edges_source(compiled: Compiled, planned: Edges, scratch: int) -> str:
    """The model of which a decision computes rows near the ends of the window."""
    name, graph = compiled.spec.name, compiled.graph
    layers, text = edge_calls.new_layers(planned), edge_calls.text(planned, name)
    return render(
        "model.c.in",
        **_common(compiled, planned.step, layers),
        output_bytes=graph.output_bytes,
        arena=max(planned.arena, scratch, 16),
        needed=planned.arena,
        scratch=scratch,
        layers=layers,
        tensors=planned.step.program.tensors,
        types=sorted({*(layer.type for layer in layers), "kept_rows"}),
        states=[],
        constants=_constants([planned.step, planned.full]),
        incremental=planned,
        edges=planned,
        modes=mode_table(mode_plan(compiled)).splitlines(),
        step=text.step,
        rest=text.rest,
        rest_arena=text.rest_arena,
        run=text.run,
    )


def _common(compiled: Compiled, planned: Plan, layers: Sequence[Layer]) -> dict[str, object]:
    """What the template needs of both."""
    spec, graph = compiled.spec, compiled.graph
    owners = _owners(layers)
    in_ram = layers_in_ram(charged(layers, owners), spec.classifier.ram_weights)
    return {
        "name": spec.name,
        "mode": spec.classifier.kernels,
        "reference": OWNERS[spec.classifier.reference],
        "graph": graph,
        "plan": planned,
        "shares": spec.first,
        "followed": bool(compiled.others),
        "rows": _rows,
        "in_ram": lambda layer: layer.name in in_ram,
        "comment": comment,
        "describe": describe,
        "owned": lambda layer: owned(layer, owners),
        "value": lambda layer, text: _value(layer, text, spec.name, owners),
    }


def describe(tensor: Tensor) -> str:
    """15 x 20 x 1, scale 0.0235, zero point -128."""
    shape = tensor.shape[1:] if len(tensor.shape) > 1 and tensor.shape[0] == 1 else tensor.shape
    text = shape_text(shape or (1,))
    if tensor.quantization is not None and len(tensor.quantization.scales) == 1:
        text += f", scale {short(tensor.quantization.scale)}, zero point {tensor.quantization.zero_point}"
    return text


@dataclass(frozen=True)
class State:
    """A variable's memory. fill: the one byte of its initial value, or None: then `initial` lists them.

    type: of an element, in C: its own where one operator alone reaches it, otherwise bytes
    """

    variable: Variable
    type: str
    size: int
    fill: int | None
    initial: list[int]


def _state(variable: Variable) -> State:
    data = np.frombuffer(variable.initial.tobytes(), np.int8)
    kind = f"{variable.dtype}_t" if variable.own else "int8_t"
    return State(variable, kind, data.size, uniform(variable), data.tolist())


@dataclass(frozen=True)
class Constant:
    """A constant tensor that kernels read as an input. type: of an element, in C; values: its elements, or
    its bytes where that is int8_t"""

    tensor: Tensor
    type: str
    values: list[int]


def _constant(tensor: Tensor) -> Constant:
    """Values of 16 bits keep their type, which aligns them."""
    assert tensor.data is not None
    kind = "int16" if tensor.dtype == "int16" else "int8"
    return Constant(tensor, f"{kind}_t", np.frombuffer(tensor.data.tobytes(), kind).tolist())


def _constants(plans: Sequence[Plan]) -> list[Constant]:
    """Of all the programs, each once."""
    found: dict[int, Constant] = {}
    for program in (planned.program for planned in plans):
        for index in sorted({index for layer in program.layers for index in layer.inputs}):
            tensor = program.tensors[index]
            if tensor.data is not None and index not in found:
                found[index] = _constant(tensor)
    return list(found.values())


def _place(planned: Plan, tensor: int, name: str, places: Mapping[int, Place]) -> str:
    program = planned.program
    if tensor in places:
        return source.state_place(places[tensor], name)
    if tensor in program.ends:
        return _end(program, tensor)
    if tensor in program.states:
        return f"{name}_state{program.states[tensor]}"
    if program.tensors[tensor].data is not None:
        wide = program.tensors[tensor].dtype == "int16"
        return f"{'(const void *)' if wide else ''}{name}_constant{tensor}"
    return source.in_arena("arena", planned.offset(tensor))


def _end(program: Program, tensor: int) -> str:
    """Where an input or output lies in what run() is given: each after those before it."""
    inputs, outputs = ((program.input, *program.more_inputs), (program.output, *program.more_outputs))
    for word, ends in ((("const int8_t *", "input"), inputs), (("int8_t *", "output"), outputs)):
        if tensor in ends:
            place = places([program.tensors[index] for index in ends])[ends.index(tensor)]
            return f"({word[0]}){word[1]} + {place}" if place else word[1]
    raise ValueError(f"tensor {tensor} is no end")


def _call(planned: Plan, index: int, name: str, places: Mapping[int, Place] = NO_PLACES) -> Call:
    layer = planned.program.layers[index]
    tensors = planned.program.tensors
    arguments = [_place(planned, tensor, name, places) for tensor in (*layer.inputs, layer.output)]
    if layer.input_type == "int16_t" and planned.offset(layer.inputs[0]) is not None:
        arguments[0] = source.wide(arguments[0])
    if layer.scratch:
        arguments.append(source.in_arena("arena", planned.scratch[index]))
    computed = [tensors[index] for index in layer.node.inputs if index >= 0 and tensors[index].data is None]
    text = f"{layer.node.number} {layer.node.op}"
    if layer.note:
        text += f" {layer.note}"
    made = tensors[layer.output]
    own = layer.inputs[0]  # of several calls that make one tensor, each has another
    before = computed[0] if computed and own not in layer.node.inputs else tensors[own]
    text += f": {describe(before).split(',')[0]} -> {describe(made)}"
    return Call(layer, comment(text), tuple(arguments))


def _rows(array: Array) -> str:
    """The elements of an initialiser."""
    if array.groups:
        return _groups(array)
    if array.type == "uint32_t":
        return c_words(array.values.tolist())
    if array.values.ndim == 1:
        return c_rows(array.values.tolist())
    widths = [max(len(str(v)) for v in column) for column in array.values.T.tolist()]
    lines = []
    for row in array.values.tolist():
        lines.append("    {" + ", ".join(f"{v:>{w}}" for v, w in zip(row, widths, strict=True)) + "},")
    return "\n".join(lines)


def _groups(array: Array) -> str:
    """Words with a comment before each group."""
    words, lines, start = array.values.tolist(), [], 0
    for group in array.groups:
        lines.append(f"    /* {group.of} */")
        for part in group.parts:
            lines.append(c_words(words[start : start + part]))
            start += part
    assert start == len(words)
    return "\n".join(lines)


def _owners(layers: Sequence[Layer]) -> dict[tuple[str, str], str]:
    """(layer's name, array's suffix) -> the end of the C name: that of the first array of the same values."""
    first: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    return {
        (layer.name, array.suffix): first.setdefault(
            (array.type, array.values.shape, array.values.tobytes()), f"{layer.name}_{array.suffix}"
        )
        for layer in layers
        for array in layer.arrays
    }


def _value(layer: Layer, value: str, name: str, owners: Mapping[tuple[str, str], str]) -> str:
    """A field's value, where an array's suffix, at its start, stands for its C name."""
    word = value.split(" ", maxsplit=1)[0]
    owner = owners.get((layer.name, word))
    return value if owner is None else f"{name}_{owner}{value[len(word) :]}"
