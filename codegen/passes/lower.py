# SPDX-License-Identifier: Apache-2.0
"""Graph -> Program: each operator becomes calls of kernels; what needs no call disappears.

Operators that only give the same bytes another shape share memory; functions of one int8 become tables, and
tables that follow each other become one. Channels that are constants are not computed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from codegen.common.reference import Reference
from codegen.kernels.layer import Layer, Program
from codegen.kernels.lowering import Lowering
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import family_of
from codegen.passes.constant_channels import without_constant_channels


def lowered(
    graph: Graph, reference: Reference, *, fast: bool = False, outputs: Sequence[int] = ()
) -> Lowering:
    """All calls of `graph`, which the door has passed, with the bits of `reference`.

    fast: kernels = "fast", constants may be many where that saves time
    outputs: that the caller gets; left out the first of the graph's
    """
    lowering = Lowering(graph, reference, fast=fast, outputs=outputs)
    for node in graph.nodes:
        family = family_of(graph, node)
        assert family is not None  # the door has passed it
        family.lower(lowering, node)
    return lowering


def lower(graph: Graph, reference: Reference = Reference.LITERT, *, fast: bool = False) -> Program:
    """The calls that compute `graph`, which the door has passed, with the bits of `reference`."""
    reduced = without_constant_channels(graph)
    lowering = lowered(reduced.graph, reference, fast=fast, outputs=graph.outputs)
    nodes = {node.outputs: node for node in graph.nodes}
    layers = [
        _as_defined(layer, graph, nodes.get(layer.node.outputs, layer.node)) for layer in lowering.layers
    ]
    return replace(program(lowering, layers), kept=reduced.kept)


def _as_defined(layer: Layer, graph: Graph, node: Node) -> Layer:
    """With the multiply-accumulates of the model's own operator, of which channels may have gone away."""
    if layer.macs == 0 or node is layer.node:
        return layer
    output, weights = graph.tensors[node.outputs[0]], graph.tensors[node.inputs[1]]
    return replace(layer, macs=output.size // output.shape[-1] * weights.size)


def program(lowering: Lowering, layers: Sequence[Layer], outside: Collection[int] = ()) -> Program:
    """Some of the calls, which leave the model's outputs: after a copy where one lies elsewhere, is a
    constant, or is two outputs.

    outside: tensors with memory of their own
    """
    graph, layers = lowering.graph, list(layers)
    taken = {*graph.inputs, *lowering.states, *outside}
    made: list[int] = []
    for output in lowering.outputs:
        source = lowering.root(output)
        if source in taken or lowering.graph.tensors[source].data is not None:
            index, number = (graph.nodes[-1].index, graph.nodes[-1].number) if graph.nodes else (0, 0)
            node = Node(index, "COPY", (source,), (output,), layer=number)
            like = lowering.graph.tensors[output]
            apart = output == source or output in made
            target = lowering.temporary(like.shape, like) if apart else output
            layers.append(
                Layer(
                    name=f"copy{len(made) + 1}",
                    kernel="copy",
                    type="copy",
                    fields=(("size", str(lowering.graph.tensors[source].nbytes)),),
                    arrays=(),
                    inputs=(source,),
                    output=target,
                    node=node,
                    note=f"copy into output {len(made)}" if len(lowering.outputs) > 1 else "",
                )
            )
            source = target
        taken.add(source)
        made.append(source)
    tensors = lowering.graph.tensors
    same = _same_constants(tensors, layers)
    layers = [
        replace(layer, inputs=tuple(same.get(index, index) for index in layer.inputs)) for layer in layers
    ]
    return Program(
        tensors,
        tuple(layers),
        graph.inputs[0],
        made[0],
        lowering.states,
        frozenset(outside),
        more_inputs=graph.inputs[1:],
        more_outputs=tuple(made[1:]),
    )


def _same_constants(tensors: Sequence[Tensor], layers: Sequence[Layer]) -> dict[int, int]:
    """Constants that layers read -> the first of the same type and bytes, which then stands for all. A tensor
    that the caller has added after the graph's is computed."""
    first: dict[tuple[str, bytes], int] = {}
    same: dict[int, int] = {}
    for index in sorted({index for layer in layers for index in layer.inputs if index < len(tensors)}):
        data = tensors[index].data
        if data is not None:
            same[index] = first.setdefault((tensors[index].dtype, data.tobytes()), index)
    return same
