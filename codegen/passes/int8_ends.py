# SPDX-License-Identifier: Apache-2.0
"""What an app computes of a model whose ends are float or uint8: the int8 model between them.

Converters put a QUANTIZE after such an input and a QUANTIZE or DEQUANTIZE before such an output. A feature
has one of 256 values, so that the table from features to the tensor can hold what a first QUANTIZE makes of a
float; uint8 is int8 with another zero point, 128 apart. No value of the model changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codegen.model.fold import with_readers
from codegen.model.graph import Graph, Node, Quantization, Tensor, Variable
from codegen.ops import reshape

_FLOAT, _BYTE = "float32", "uint8"


def read_at(graph: Graph, chosen: int | str | None) -> Graph:
    """Of a model's outputs the one chosen, by number or name; all else in it stays.

    The model stays as it is where that is none of them, and where one has been chosen before.
    """
    if graph.chosen is not None:
        return graph
    names = [graph.tensors[index].name for index in graph.outputs]
    number = names.index(chosen) if isinstance(chosen, str) and names.count(chosen) == 1 else chosen
    if not isinstance(number, int) or not 0 <= number < len(names):
        return graph
    return replace(graph, outputs=(graph.outputs[number],), chosen=number)


def with_output(graph: Graph, chosen: int | str | None) -> Graph:
    """The same, and of the model no more than what that output depends on."""
    found = read_at(graph, chosen)
    if found is graph:
        return graph
    nodes, variables = _needed(graph, found.outputs)
    read = {index for node in nodes for index in node.inputs}
    inputs = tuple(index for index in graph.inputs if index in read) or graph.inputs[:1]
    return replace(found, inputs=inputs, nodes=nodes, variables=variables)


def _needed(graph: Graph, outputs: tuple[int, ...]) -> tuple[tuple[Node, ...], tuple[Variable, ...]]:
    """The nodes on which the outputs depend, in this run or a later one, and the variables that they have."""
    nodes: tuple[Node, ...] = ()
    read: set[int] | None = None  # variables whose values are wanted; their values may want further ones
    while (wanted := _variables(nodes, "READ_VARIABLE")) != read:
        read = wanted
        kept = [
            node for node in graph.nodes if node.op != "ASSIGN_VARIABLE" or node.options["variable"] in read
        ]
        nodes = with_readers(kept, outputs)
    numbers = sorted(_variables(nodes))
    variables = [replace(graph.variables[number], index=index) for index, number in enumerate(numbers)]
    return tuple(_renumbered(node, numbers) for node in nodes), tuple(variables)


def _variables(nodes: Sequence[Node], op: str = "") -> set[int]:
    """The variables that nodes read or assign, those of their own included. op: of such nodes alone"""
    found: set[int] = set()
    for node in nodes:
        if not op or node.op == op:
            found.update(node.options.get("states", {}).values())
            if "variable" in node.options:
                found.add(node.options["variable"])
    return found


def _renumbered(node: Node, numbers: Sequence[int]) -> Node:
    """With the places of its variables' numbers among `numbers`."""
    options = dict(node.options)
    if "variable" in options:
        options["variable"] = numbers.index(options["variable"])
    if "states" in options:
        options["states"] = {tensor: numbers.index(number) for tensor, number in options["states"].items()}
    return replace(node, options=options)


def int8_ends(graph: Graph) -> Graph:
    """The model with int8 ends, where only QUANTIZE or DEQUANTIZE are to be seen to; other ends stay.

    An end that has become int8 says its type in the file (`file_dtype`).
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return graph
    return _output(_input(graph))


def _input(graph: Graph) -> Graph:
    end = graph.input
    chain, node = follow(graph, end.index)
    if node is None or node.op != "QUANTIZE" or end.dtype not in (_FLOAT, _BYTE):
        return graph
    inside = graph.tensors[node.outputs[0]]
    quantization = inside.quantization if end.dtype == _FLOAT else end.quantization
    dtype = inside.dtype if end.dtype == _FLOAT else end.dtype
    found = _retyped(graph, chain, dtype, quantization, end.dtype)
    if found is None:
        return graph
    same = _same(found.tensors[chain[-1]], inside)
    return _without(found, node, inside.index, chain[-1]) if same else found


def _output(graph: Graph) -> Graph:
    end = graph.output
    chain, node = follow_back(graph, end.index)
    if node is None or end.dtype not in (_FLOAT, _BYTE):
        return graph
    if node.op != {_FLOAT: "DEQUANTIZE", _BYTE: "QUANTIZE"}[end.dtype]:
        return graph
    inside = graph.tensors[node.inputs[0]]
    quantization = inside.quantization if end.dtype == _FLOAT else end.quantization
    dtype = inside.dtype if end.dtype == _FLOAT else end.dtype
    if inside.dtype != "int8":
        return graph  # a QUANTIZE that is left would read another type than the engine has
    found = _retyped(graph, chain, dtype, quantization, end.dtype)
    if found is None:
        return graph
    same = _same(found.tensors[chain[-1]], inside)
    return _without(found, node, chain[-1], inside.index) if same else found


def follow(graph: Graph, tensor: int) -> tuple[list[int], Node | None]:
    """The tensors from an input on that are the same values reshaped, and the only reader of the last."""
    chain = [tensor]
    while True:
        readers = [node for node in graph.nodes if chain[-1] in node.inputs]
        if len(readers) != 1 or chain[-1] in graph.outputs:
            return chain, None
        if readers[0].op not in reshape.OPS:
            return chain, readers[0]
        chain.append(readers[0].outputs[0])


def follow_back(graph: Graph, tensor: int) -> tuple[list[int], Node | None]:
    """The same from an output back, and the maker of the last; none where something else reads it."""
    chain = [tensor]
    while True:
        if any(chain[-1] in node.inputs for node in graph.nodes if not set(chain) & set(node.outputs)):
            return chain, None
        maker = next((node for node in graph.nodes if chain[-1] in node.outputs), None)
        if maker is None or maker.op not in reshape.OPS:
            return chain, maker
        chain.append(maker.inputs[0])


def _retyped(
    graph: Graph, chain: Sequence[int], dtype: str, quantization: Quantization | None, file_dtype: str
) -> Graph | None:
    """With int8 in place of all these tensors' type; None where their values are no bytes of one scale."""
    if dtype not in ("int8", _BYTE) or quantization is None or len(quantization.scales) != 1:
        return None
    shift = 128 if dtype == _BYTE else 0
    int8 = Quantization(quantization.scales, (quantization.zero_point - shift,))
    tensors = list(graph.tensors)
    for index in chain:
        tensors[index] = replace(tensors[index], dtype="int8", quantization=int8)
    tensors[chain[0]] = replace(tensors[chain[0]], file_dtype=file_dtype)
    return replace(graph, tensors=tuple(tensors))


def _same(one: Tensor, other: Tensor) -> bool:
    """A number means the same in both."""
    first, second = one.quantization, other.quantization
    assert first is not None
    return (
        one.dtype == other.dtype
        and second is not None
        and (first.scales, first.zero_points) == (second.scales, second.zero_points)
    )


def _without(graph: Graph, node: Node, gone: int, stays: int) -> Graph:
    """Without a node that changes nothing: who read the tensor `gone` reads the one that `stays`."""
    nodes = tuple(
        replace(each, inputs=tuple(stays if index == gone else index for index in each.inputs))
        for each in graph.nodes
        if each is not node
    )
    tensors = list(graph.tensors)
    file_dtype = tensors[gone].file_dtype or tensors[stays].file_dtype
    tensors[stays] = replace(tensors[stays], file_dtype=file_dtype)
    outputs = tuple(stays if index == gone else index for index in graph.outputs)
    return replace(graph, tensors=tuple(tensors), nodes=nodes, outputs=outputs)
