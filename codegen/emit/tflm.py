# SPDX-License-Identifier: Apache-2.0
"""The model for TensorFlow Lite Micro: its own file as bytes, a resolver of just its operators, model_t."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.app.spec import Spec, with_engine
from codegen.common.errors import UserError
from codegen.common.render import c_words, render
from codegen.model.graph import Graph, Node
from codegen.model.reader import layer_place, read_graphs
from codegen.ops import FAMILIES
from codegen.passes.app_ends import computed_graph
from codegen.passes.legalise import load_for

ALIGNMENT = 16  # bytes: of the arena and of what lies in it

_METHOD = re.compile(
    r"TfLiteStatus\s+(Add\w+)\s*\(([^{;]*?)\)\s*\{\s*return\s+AddBuiltin\s*\(\s*BuiltinOperator_(\w+)"
)
# A method without a registration to choose, whose body may name the kernel first; others choose at run time.
_CUSTOM = re.compile(r'TfLiteStatus\s+(Add\w+)\s*\([^{;]*\)\s*\{[^{}]*?return\s+AddCustom\s*\(\s*"([^"]+)"')
_INT8 = re.compile(r"TFLMRegistration\s+(Register_(\w+)_INT8)\s*\(\s*\)")


@dataclass(frozen=True)
class Registrations:
    """What a TFLM can register, read from its headers.

    methods: operator ("CUSTOM name" of a custom one) -> the resolver's method, and whether a kernel for int8
        alone can be given to it
    int8: operator -> the function that registers its kernel for int8 alone
    """

    methods: Mapping[str, tuple[str, bool]]
    int8: Mapping[str, str]


def registrations(resolver: str, kernels: Iterable[str]) -> Registrations:
    """From the texts of micro_mutable_op_resolver.h and the headers of the kernels."""
    methods = {f"CUSTOM {op}": (name, False) for name, op in _CUSTOM.findall(resolver)}
    methods |= {op: (name, bool(parameters.strip())) for name, parameters, op in _METHOD.findall(resolver)}
    int8 = {op: function for text in kernels for function, op in _INT8.findall(text)}
    return Registrations(methods, int8)


@dataclass(frozen=True)
class Registration:
    """One line of the resolver."""

    op: str
    method: str
    argument: str  # "" for the general kernel


def resolver(graphs: Sequence[Graph], known: Registrations, version: str) -> tuple[Registration, ...]:
    """A line an operator, in the order of their first use. graphs: all of the file, as it stands.

    The int8 kernel alone is taken where every layer of that operator is int8 from end to end: then the
    others need not be linked. UserError where TFLM lacks an operator. version: of TFLM, for the message.
    """
    users: dict[str, list[tuple[Graph, Node]]] = {}
    for graph in graphs:
        for node in graph.nodes:
            users.setdefault(node.op, []).append((graph, node))
    lines = []
    for op, nodes in users.items():
        if op not in known.methods:
            graph, node = nodes[0]
            ways = ["Replace the layer", "take a TFLM that has it", "use engine=aot"]
            raise UserError(
                f"{version} has no operator {op}",
                place=layer_place(node, graph),
                remedy=f"{', '.join(ways[:2])}, or {ways[2]}."
                if op in FAMILIES
                else f"{', or '.join(ways[:2])}.",
            )
        method, takes = known.methods[op]
        only = takes and op in known.int8 and all(_is_int8(graph, node) for graph, node in nodes)
        lines.append(Registration(op, method, f"tflite::{known.int8[op]}()" if only else ""))
    return tuple(lines)


def resolver_of(model: Path, known: Registrations, version: str) -> tuple[Registration, ...]:
    """resolver() of a file, which its messages name."""
    try:
        return resolver(read_graphs(model), known, version)
    except UserError as error:
        raise UserError(
            error.what, file=error.file or model, place=error.place, remedy=error.remedy
        ) from None


def _is_int8(graph: Graph, node: Node) -> bool:
    """Values and weights are int8; biases, shapes and axes may be int32."""
    tensors = [graph.tensors[index] for index in (*node.inputs, *node.outputs) if index >= 0]
    computed = [tensor for tensor in tensors if tensor.data is None]
    constant = [tensor for tensor in tensors if tensor.data is not None]
    return all(tensor.dtype == "int8" for tensor in computed) and all(
        tensor.dtype in ("int8", "int32") for tensor in constant
    )


def tflm_sources(spec: Spec, graph: Graph, known: Registrations, version: str) -> dict[str, str]:
    """File name -> text: NAME_flatbuffer.c with the bytes of the .tflite, and NAME_resolver.cc."""
    model = spec.classifier.model
    lines = resolver_of(model, known, version)
    data = model.read_bytes()
    words = np.frombuffer(data + bytes(-len(data) % 4), "<u4").tolist()
    return {
        f"{spec.name}_flatbuffer.c": render(
            "tflm_flatbuffer.c.in", name=spec.name, graph=graph, size=len(data), words=c_words(words)
        ),
        f"{spec.name}_resolver.cc": render(
            "tflm_resolver.cc.in", name=spec.name, lines=lines, align=ALIGNMENT
        ),
    }


def tflm_model(spec: Spec, graph: Graph, arena: int, scratch: int) -> str:
    """NAME_model.c: what NAME_model.c of the engine aot offers, with TFLM behind it.

    arena: bytes of TFLM's arena; scratch: bytes that stages outside the model need while it does not run
    """
    return render(
        "tflm_model.c.in",
        name=spec.name,
        graph=graph,
        arena=arena,
        scratch=max(scratch, 16),
        variables=len(graph.variables),
    )


def measured_sources(spec: Spec, arena: int) -> dict[str, str]:
    """NAME.h, NAME_model.c and measured.c of the image that finds out how large the arena has to be."""
    graph = computed_graph(with_engine(spec, "tflm"), load_for("tflm", spec.classifier.model))
    sizes = {"input_bytes": graph.input_bytes, "output_bytes": graph.output_bytes}
    return {
        f"{spec.name}.h": render("app.h.in", name=spec.name, pipeline=None, graph=graph),
        f"{spec.name}_model.c": tflm_model(spec, graph, arena, 0),
        "measured.c": render("tflm_measured.c.in", name=spec.name, **sizes),
    }
