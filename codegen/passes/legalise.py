# SPDX-License-Identifier: Apache-2.0
"""What passes is what the `aot` engine computes exactly: the operators' own rules are in codegen/ops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codegen.common.errors import UserError, UserErrors
from codegen.model.fold import FOLDED, fold
from codegen.model.graph import Graph, Node
from codegen.model.reader import (
    CONVERT,
    FIX,
    layer_place,
    read_content,
    read_graph,
    read_operators,
    read_whole,
)
from codegen.model.variables import OPS
from codegen.ops import FAMILIES, Family, Fault, family_of, float_function
from codegen.ops.diagnosis import float_faults, is_float
from codegen.ops.family import AGAIN
from codegen.ops.refused import refusal
from codegen.passes import dilation
from codegen.passes.dilation import dilations_folded
from codegen.passes.float_parts import float_parts_replaced
from codegen.passes.groups import groups_parted
from codegen.passes.made import numbered
from codegen.passes.torch_words import in_torch, is_torch
from codegen.passes.transpose_conv import transpose_convolutions_replaced
from codegen.passes.transposes import transposes_later

# Graph -> graph of the same function, in this order: what is left is what kernels compute.
PASSES = (
    fold,
    float_parts_replaced,
    dilations_folded,
    transpose_convolutions_replaced,
    groups_parted,
    transposes_later,
    numbered,
)
# operator -> places of its inputs that are sizes or places, not values
SIZES = {
    "BROADCAST_TO": (1,),
    "FILL": (0,),
    "GATHER": (1,),
    "GATHER_ND": (1,),
    "MIRROR_PAD": (1,),
    "PAD": (1,),
    "PADV2": (1,),
    "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SLICE": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "TILE": (1,),
    "TRANSPOSE_CONV": (0,),
}


def load_for(engine: str, path: Path, content: bytes | None = None) -> Graph:
    """The model for an engine: load_graph() for aot. tflm runs the file as it stands, and the build asks
    TensorFlow Lite Micro's resolver whether it has the operators."""
    return read_whole(path, content) if engine == "tflm" else load_graph(path, content)


def load_graph(path: Path, content: bytes | None = None) -> Graph:
    """The model in `path`, checked, operators on constants folded away; UserError or UserErrors otherwise.

    content: that of a model that is in no file; `path` names it in messages
    """
    data = read_content(path) if content is None else content
    try:
        return _checked(path, data)
    except UserError as error:
        if is_torch(data):
            raise in_torch(error) from None
        raise


def _checked(path: Path, data: bytes) -> Graph:
    try:
        graph = read_graph(path, data)
        for one in PASSES:
            graph = one(graph)
    except UserError as error:
        # What stands in the way may be what an operator that is not supported brought with it.
        refused = [] if _is_open(error) else _refused(path, data)
        if refused:
            raise (refused[0] if len(refused) == 1 else UserErrors(refused)) from None
        raise
    faults = list(_faults(graph, path))
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise UserErrors(faults)
    return graph


def _is_open(error: UserError) -> bool:
    """Shapes are open: what computes with them at run time is gone once they are not."""
    return any(one.remedy == FIX for one in (error.errors if isinstance(error, UserErrors) else (error,)))


def _refused(path: Path, content: bytes) -> list[UserError]:
    """One for each kind of operator that no family computes and no pass takes away."""
    faults: dict[str, UserError] = {}
    taken = (FAMILIES, FOLDED, OPS, float_function.KNOWN, dilation.OPS)
    for index, op in enumerate(read_operators(path, content)):
        if op and not any(op in known for known in taken):
            what, remedy = refusal(op)
            place = f"layer {index} ({op})"
            faults.setdefault(remedy, UserError(what, file=path, place=place, remedy=remedy))
    return list(faults.values())


def _faults(graph: Graph, path: Path) -> Iterator[UserError]:
    """Every reason why the engine cannot compute this graph exactly."""
    yield from _batch_faults(graph, path)
    if any(graph.tensors[index].variable for index in graph.outputs):
        yield UserError("the output is a state of an operator", file=path, place="graph", remedy=AGAIN)
    if not any(set(graph.inputs) & set(node.inputs) for node in graph.nodes):
        yield UserError(
            "the output does not depend on the input",
            file=path,
            place="model",
            remedy="convert a model with layers",
        )
        return
    floats = [node for node in graph.nodes if is_float(node, graph)]
    for node, fault in float_faults(graph, floats, CONVERT):
        place = layer_place(node, graph)
        yield UserError(fault.what.format(place=place), file=path, place=place, remedy=fault.remedy)
    reported = set()
    for node in graph.nodes:
        if node in floats or (floats and node.op in ("QUANTIZE", "DEQUANTIZE")):
            continue
        for fault in _node_faults(graph, node):
            if node.op not in FAMILIES and fault.remedy in reported:
                continue  # one remedy for all layers of the kind
            reported.add(fault.remedy)
            yield UserError(fault.what, file=path, place=layer_place(node, graph), remedy=fault.remedy)


def _batch_faults(graph: Graph, path: Path) -> Iterator[UserError]:
    """Inputs whose first size is not 1. A further input may be a flat row of values, which has no batch."""
    for number, tensor in enumerate(graph.tensors[index] for index in graph.inputs):
        flat = number > 0 and len(tensor.shape) == 1 and not tensor.open_batch
        if flat or not tensor.shape or tensor.shape[0] == 1 or _is_shape(graph, tensor.index):
            continue  # of a shape the layer that wants it says more
        what = f"the batch is {tensor.shape[0]}; it must be 1"
        remedy = "set the batch size of the model's input to 1 and convert again"
        if number == 0 and len(tensor.shape) == 1 and not tensor.open_batch:
            what = f"its shape is {list(tensor.shape)}, without a batch of 1 in front"
            remedy = (
                f"give the model's input the shape {[1, *tensor.shape]}, e.g. "
                f"keras.Input(shape=({tensor.shape[0]},), batch_size=1), and convert again"
            )
        elif number > 0 and not tensor.open_batch:
            what = f"its first size is {tensor.shape[0]}; it must be 1 where there are further sizes"
            remedy = "give this input a first size of 1, or make it flat, and convert again"
        yield UserError(what, file=path, place=f"input tensor ({tensor.name})", remedy=remedy)


def _is_shape(graph: Graph, index: int) -> bool:
    """The tensor only says what sizes others have: it has no batch."""
    readers = [node for node in graph.nodes if index in node.inputs]
    return bool(readers) and all(
        node.inputs.index(index) in SIZES.get(node.op, ())
        or (node.op in FOLDED and all(_is_shape(graph, made) for made in node.outputs))
        for node in readers
    )


def _node_faults(graph: Graph, node: Node) -> Iterator[Fault]:
    family = family_of(graph, node)
    nothing = [
        graph.tensors[i] for i in (*node.inputs, *node.outputs) if i >= 0 and not graph.tensors[i].size
    ]
    if family is not None and nothing:
        shape = list(nothing[0].shape)
        yield Fault(
            f"the shape {shape} of tensor {nothing[0].index} holds nothing", "every size must be at least 1"
        )
    elif family is not None and any(graph.tensors[index].variable for index in _not_states(node, family)):
        yield Fault("it reads or writes a variable that is no state of its own", AGAIN)
    elif family is not None:
        yield from family.check(graph, node)
    else:
        yield refusal(node.op)


def _not_states(node: Node, family: Family) -> list[int]:
    """Its tensors but for the states of its own."""
    inputs = [index for place, index in enumerate(node.inputs) if place not in family.states]
    return [index for index in (*inputs, *node.outputs) if index >= 0]
