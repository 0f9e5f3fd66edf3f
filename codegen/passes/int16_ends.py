# SPDX-License-Identifier: Apache-2.0
"""What an app computes of a model whose ends have 16 bits: int8 goes in and comes out.

A feature has one of 256 values, so a table holds what each is in the model's input: nothing is lost. The
scores that a decision compares have 8 bits: those of a softmax or a sigmoid in steps of 1/256, others in
steps of 256 of the model's own, rounded as TFLite's QUANTIZE does.
"""

from __future__ import annotations

from dataclasses import replace

from codegen.app.spec import Classifier
from codegen.app.tables.quantize import float_table, quantize_table
from codegen.model.graph import Graph, Node, Quantization, Tensor
from codegen.ops.features import OP
from codegen.passes.int8_ends import follow, follow_back
from codegen.passes.made import numbered

_FLOAT, _WIDE = "float32", "int16"
_SHARES = ("SOFTMAX", "LOGISTIC")  # their outputs are 0 .. 1


def narrow_ends(graph: Graph, classifier: Classifier) -> Graph:
    """The model between a table of features and a QUANTIZE of its scores, where the ends have 16 bits, or
    are floats that a QUANTIZE turns into such and a DEQUANTIZE makes of such; other ends stay.

    An end that has become int8 says its type in the file (`file_dtype`).
    """
    if not graph.one_ended or not graph.nodes:
        return graph
    return numbered(_scores(_features(graph, classifier)))


def _features(graph: Graph, classifier: Classifier) -> Graph:
    end = graph.input
    if end.dtype == _FLOAT:
        chain, node = follow(graph, end.index)
        if node is None or node.op != "QUANTIZE":
            return graph
        inside = graph.tensors[node.outputs[0]]
        if not _is_wide(inside):
            return graph
        graph = _without(_wide(graph, chain, inside), node, inside.index, chain[-1])
    elif not _is_wide(end):
        return graph
    wide = graph.input
    assert wide.quantization is not None
    scale, zero_point = wide.quantization.scale, wide.quantization.zero_point
    if end.dtype == _FLOAT:
        table = float_table(classifier.offset, scale, zero_point, wide.dtype)
    else:
        table = quantize_table(classifier.offset, scale, zero_point, classifier.rounding, wide.dtype)
    features = replace(
        wide,
        index=len(graph.tensors),
        dtype="int8",
        quantization=Quantization((1.0,), (classifier.offset - 128,)),  # u - 128, which stands for u - offset
        file_dtype=end.dtype,
    )
    first = graph.nodes[0]
    made = Node(first.index, OP, (features.index,), (wide.index,), {"table": table}, layer=first.number)
    return replace(
        graph, tensors=(*graph.tensors, features), nodes=(made, *graph.nodes), inputs=(features.index,)
    )


def _scores(graph: Graph) -> Graph:
    end = graph.output
    if end.dtype == _FLOAT:
        chain, node = follow_back(graph, end.index)
        if node is None or node.op != "DEQUANTIZE":
            return graph
        inside = graph.tensors[node.inputs[0]]
        if not _is_wide(inside):
            return graph
        graph = _without(_wide(graph, chain, inside), node, chain[-1], inside.index)
    elif not _is_wide(end):
        return graph
    wide = graph.output
    assert wide.quantization is not None
    _, maker = follow_back(graph, wide.index)
    shares = maker is not None and maker.op in _SHARES
    int8 = (
        Quantization((1 / 256,), (-128,)) if shares else Quantization((wide.quantization.scale * 256,), (0,))
    )
    scores = replace(
        wide, index=len(graph.tensors), dtype="int8", quantization=int8, file_dtype=end.dtype, made=True
    )
    last = graph.nodes[-1]
    made = Node(last.index, "QUANTIZE", (wide.index,), (scores.index,), layer=last.number)
    return replace(
        graph, tensors=(*graph.tensors, scores), nodes=(*graph.nodes, made), outputs=(scores.index,)
    )


def _is_wide(tensor: Tensor) -> bool:
    return tensor.dtype == _WIDE and tensor.quantization is not None and len(tensor.quantization.scales) == 1


def _wide(graph: Graph, chain: list[int], like: Tensor) -> Graph:
    """With the type and scale of another tensor for all of these."""
    tensors = list(graph.tensors)
    for index in chain:
        tensors[index] = replace(tensors[index], dtype=like.dtype, quantization=like.quantization)
    return replace(graph, tensors=tuple(tensors))


def _without(graph: Graph, node: Node, gone: int, stays: int) -> Graph:
    """Without a node that changes nothing any more: who read the tensor `gone` reads the one that `stays`."""
    nodes = tuple(
        replace(each, inputs=tuple(stays if index == gone else index for index in each.inputs))
        for each in graph.nodes
        if each is not node
    )
    outputs = tuple(stays if index == gone else index for index in graph.outputs)
    return replace(graph, nodes=nodes, outputs=outputs)
