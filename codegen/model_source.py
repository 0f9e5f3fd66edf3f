"""The model as C: constants, one struct a layer, and run(), one list of calls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from codegen.every_layer import layer_outputs, output_bytes
from codegen.graph import Graph, Tensor, Variable
from codegen.incremental import Incremental, incremental
from codegen.layer import Array, Layer
from codegen.lower import lower
from codegen.plan import Plan, plan
from codegen.quantize import Reference
from codegen.render import c_rows, c_words, render, shape_text, short
from codegen.spec import Spec
from codegen.variables import uniform

OWNERS = {
    Reference.LITERT: "LiteRT's reference kernels",
    Reference.TFLM: "TensorFlow Lite Micro",
}


@dataclass(frozen=True)
class Call:
    """A line of run(). arguments: after the layer's struct."""

    layer: Layer
    comment: str
    arguments: tuple[str, ...]
    copied: tuple[int, str, int] | None = None  # where every layer's output is wanted: offset, place, bytes


def model_plan(graph: Graph, reference: Reference = Reference.LITERT) -> Plan:
    """The program of a graph with its memory planned."""
    return plan(lower(graph, reference))


def model_source(spec: Spec, graph: Graph, scratch: int) -> str:
    """The text of NAME_model.c. scratch: bytes that stages outside the model need of the arena."""
    program = lower(graph, spec.classifier.reference)
    rows = incremental(spec, graph, program)
    planned = rows.rest if isinstance(rows, Incremental) else plan(program)
    history = (
        f"{spec.name}_{'work' if rows.flat else 'history'}" if isinstance(rows, Incremental) else "input"
    )
    calls = [_call(planned, index, spec.name, history) for index in range(len(planned.program.layers))]
    if spec.classifier.every_layer:
        calls = _copied(calls, planned, graph, spec.name)
    layers = planned.program.layers
    types = {layer.type for layer in layers}
    if isinstance(rows, Incremental):
        layers = (*(layer.layer for layer in rows.layers), *layers)
        types |= {"stream_flat" if rows.flat else "stream", "stream_conv_2d"}
    return render(
        "model.c.in",
        name=spec.name,
        mode=spec.classifier.kernels,
        reference=OWNERS[spec.classifier.reference],
        graph=graph,
        plan=planned,
        arena=max(planned.arena, scratch, 16),
        layers=layers,
        calls=calls,
        output_bytes=output_bytes(spec, graph),
        constants=_constants(planned),
        states=[_state(graph.variables[index]) for index in sorted(planned.program.states.values())],
        types=sorted(types),
        incremental=rows if isinstance(rows, Incremental) else None,
        columns=_frame_columns(rows),
        rows=_rows,
        comment=comment,
        describe=describe,
        value=_value,
    )


def _frame_columns(rows: Incremental | str) -> int:
    """Columns of a frame, without padding."""
    return rows.frame_size // rows.layers[0].source.depth if isinstance(rows, Incremental) else 0


def comment(text: str) -> str:
    """Text from the model's file inside a C comment: nothing in it ends the comment or starts a trigraph."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\")


def describe(tensor: Tensor) -> str:
    """15 x 20 x 1, scale 0.0235, zero point -128."""
    shape = tensor.shape[1:] if len(tensor.shape) > 1 and tensor.shape[0] == 1 else tensor.shape
    text = shape_text(shape or (1,))
    if tensor.quantization is not None and len(tensor.quantization.scales) == 1:
        text += f", scale {short(tensor.quantization.scale)}, zero point {tensor.quantization.zero_point}"
    return text


@dataclass(frozen=True)
class State:
    """A variable's memory. fill: the one byte of its initial value, or None: then `initial` lists them."""

    variable: Variable
    size: int
    fill: int | None
    initial: list[int]


def _state(variable: Variable) -> State:
    data = np.frombuffer(variable.initial.tobytes(), np.int8)
    return State(variable, data.size, uniform(variable), data.tolist())


def _constants(planned: Plan) -> list[Tensor]:
    """Constant tensors that kernels read as inputs."""
    used = {index for layer in planned.program.layers for index in layer.inputs}
    return [tensor for tensor in planned.program.tensors if tensor.index in used and tensor.data is not None]


def _place(planned: Plan, tensor: int, name: str, source: str) -> str:
    program = planned.program
    if tensor == program.input:
        return source
    if tensor == program.output:
        return "output"
    if tensor in program.states:
        return f"{name}_state{program.states[tensor]}"
    if program.tensors[tensor].data is not None:
        return f"{name}_constant{tensor}"
    offset = planned.offset(tensor)
    return "arena" if not offset else f"arena + {offset}"


def _call(planned: Plan, index: int, name: str, source: str) -> Call:
    layer = planned.program.layers[index]
    tensors = planned.program.tensors
    arguments = [_place(planned, tensor, name, source) for tensor in (*layer.inputs, layer.output)]
    if layer.scratch:
        offset = planned.scratch[index]
        arguments.append("arena" if not offset else f"arena + {offset}")
    computed = [tensors[index] for index in layer.node.inputs if index >= 0 and tensors[index].data is None]
    text = f"{layer.node.index} {layer.node.op}"
    if layer.note:
        text += f" {layer.note}"
    made = tensors[layer.output]
    before = computed[0] if computed else tensors[layer.inputs[0]]
    text += f": {describe(before).split(',')[0]} -> {describe(made)}"
    return Call(layer, comment(text), tuple(arguments))


def _copied(calls: list[Call], planned: Plan, graph: Graph, name: str) -> list[Call]:
    """The calls, with the outputs of all layers copied behind the model's own."""
    calls = list(calls)
    for made in layer_outputs(graph, planned.program):
        place = _place(planned, made.tensor.index, name, "input")
        calls[made.call] = replace(calls[made.call], copied=(made.offset, place, made.tensor.nbytes))
    return calls


def _rows(array: Array) -> str:
    """The elements of an initialiser."""
    if array.type == "uint32_t":
        return c_words(array.values.tolist())
    if array.values.ndim == 1:
        return c_rows(array.values.tolist())
    widths = [max(len(str(v)) for v in column) for column in array.values.T.tolist()]
    lines = []
    for row in array.values.tolist():
        lines.append("    {" + ", ".join(f"{v:>{w}}" for v, w in zip(row, widths, strict=True)) + "},")
    return "\n".join(lines)


def _value(layer: Layer, value: str, name: str) -> str:
    """A field's value, where an array's suffix, at its start, stands for its C name."""
    word = value.split(" ", maxsplit=1)[0]
    if any(array.suffix == word for array in layer.arrays):
        return f"{name}_{layer.name}_{value}"
    return value
