"""What passes is what the `aot` engine computes exactly: the operators' own rules are in codegen/ops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codegen.common.errors import UserError, UserErrors
from codegen.model.fold import fold
from codegen.model.graph import Graph, Node
from codegen.model.reader import CONVERT, layer_place, read_graph
from codegen.ops import FAMILIES, Fault
from codegen.ops.refused import refusal


def load_graph(path: Path) -> Graph:
    """The model in `path`, checked, operators on constants folded away; UserError or UserErrors otherwise."""
    graph = fold(read_graph(path))
    faults = list(_faults(graph, path))
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise UserErrors(faults)
    return graph


def _faults(graph: Graph, path: Path) -> Iterator[UserError]:
    """Every reason why the engine cannot compute this graph exactly."""
    tensor = graph.input
    place = f"input tensor ({tensor.name})"
    if tensor.shape and tensor.shape[0] != 1:
        yield UserError(
            f"the batch is {tensor.shape[0]}; it must be 1",
            file=path,
            place=place,
            remedy="set the batch size of the model's input to 1 and convert again",
        )
    if not any(graph.inputs[0] in node.inputs for node in graph.nodes):
        yield UserError(
            "the output does not depend on the input",
            file=path,
            place="model",
            remedy="convert a model with layers",
        )
        return
    floats = [node for node in graph.nodes if _is_float(node, graph)]
    if floats:
        first = layer_place(floats[0], graph)
        part = "the whole model"
        if len(floats) < len(graph.nodes):
            part = f"{len(floats)} of {len(graph.nodes)} layers"
        yield UserError(f"{part} computes in float, {first} first", file=path, place="model", remedy=CONVERT)
    for node in graph.nodes:
        if node in floats:
            continue
        for fault in _node_faults(graph, node):
            yield UserError(fault.what, file=path, place=layer_place(node, graph), remedy=fault.remedy)


def _is_float(node: Node, graph: Graph) -> bool:
    """It computes on floats. Changes of type and shape at the model's ends do not."""
    if node.op in ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
        return False
    return any(
        graph.tensors[index].dtype.startswith("float")
        for index in (*node.inputs, *node.outputs)
        if index >= 0
    )


def _node_faults(graph: Graph, node: Node) -> Iterator[Fault]:
    family = FAMILIES.get(node.op)
    if family is not None:
        yield from family.check(graph, node)
    else:
        yield refusal(node.op, list(FAMILIES))
