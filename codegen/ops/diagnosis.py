# SPDX-License-Identifier: Apache-2.0
"""What kind of model a file holds that no layer's own check tells: in float, or partly float."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.model.graph import Graph, Node
from codegen.ops.family import Fault
from codegen.ops.refused import BETWEEN, IN_FLOAT, INSTEAD
from codegen.ops.reshape import OPS

EDGES = ("QUANTIZE", "DEQUANTIZE", *OPS)  # they compute nothing: a type or shape changes


def is_float(node: Node, graph: Graph) -> bool:
    """It computes on floats. Changes of type and shape at the model's ends do not."""
    if node.op in EDGES:
        return False
    return any(
        graph.tensors[index].dtype.startswith("float")
        for index in (*node.inputs, *node.outputs)
        if index >= 0
    )


def _weights_alone(node: Node, graph: Graph) -> bool:
    """It multiplies floats by constants of int8."""
    tensors = [graph.tensors[index] for index in node.inputs if index >= 0]
    return any(tensor.data is not None and tensor.dtype == "int8" for tensor in tensors)


def _is_edge(node: Node, graph: Graph) -> bool:
    """A change between float and integers that are computed: the model was quantised."""
    return node.op == "QUANTIZE" or (
        node.op == "DEQUANTIZE" and all(graph.tensors[index].data is None for index in node.inputs)
    )


def float_faults(graph: Graph, floats: list[Node], convert: str) -> Iterator[tuple[Node, Fault]]:
    """One for a model in float; else one for each operator that computes in float between layers of int8.

    convert: the remedy for a model that was never quantised.
    """
    if not floats:
        return
    if not any(_is_edge(node, graph) for node in graph.nodes) and len(floats) == len(
        [node for node in graph.nodes if node.op not in EDGES]
    ):
        what = "the whole model computes in float, {place} first"
        if any(_weights_alone(node, graph) for node in floats):
            what += ": only its weights are int8 (dynamic range quantisation)"
        yield floats[0], Fault(what, convert)
        return
    edges = [node for node in graph.nodes if _is_edge(node, graph)]
    types = {graph.tensors[index].dtype for node in edges for index in node.outputs}
    kind = "int16" if "int16" in types else "int8"
    reported = set()
    for node in floats:
        if node.op in reported:
            continue
        reported.add(node.op)
        where = "after" if set(node.outputs) & set(graph.outputs) else "between"
        what = (
            f"{node.op} computes in float {where} layers of {kind}: the converter made no {kind} form of it"
        )
        yield node, Fault(what, IN_FLOAT.get(node.op, INSTEAD.get(node.op, BETWEEN)))
