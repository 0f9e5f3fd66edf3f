# SPDX-License-Identifier: Apache-2.0
"""Graph -> Program: each operator becomes calls of kernels; what needs no call disappears.

Operators that only give the same bytes another shape share memory; functions of one int8 become tables, and
tables that follow each other become one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from codegen.common.reference import Reference
from codegen.kernels.layer import Layer, Program
from codegen.kernels.lowering import Lowering
from codegen.model.graph import Graph, Node
from codegen.ops import FAMILIES


def lowered(graph: Graph, reference: Reference) -> Lowering:
    """All calls of `graph`, which legalise has passed, with the bits of `reference`."""
    lowering = Lowering(graph, reference)
    for node in graph.nodes:
        FAMILIES[node.op].lower(lowering, node)
    return lowering


def lower(graph: Graph, reference: Reference = Reference.LITERT) -> Program:
    """The calls that compute `graph`, which legalise has passed, with the bits of `reference`."""
    lowering = lowered(graph, reference)
    return program(lowering, lowering.layers)


def program(lowering: Lowering, layers: Sequence[Layer], outside: Collection[int] = ()) -> Program:
    """Some of the calls, the last of which leave the model's output: after a copy where it lies elsewhere.

    outside: tensors with memory of their own
    """
    graph, layers = lowering.graph, list(layers)
    output = graph.outputs[0]
    source = lowering.root(output)
    if source == graph.inputs[0] or source in lowering.states or source in outside:
        node = graph.nodes[-1] if graph.nodes else Node(0, "COPY", (source,), (output,))
        if output == source:
            output = lowering.temporary(graph.tensors[output].shape, graph.tensors[output])
        layers.append(
            Layer(
                name="copy1",
                kernel="copy",
                type="copy",
                fields=(("size", str(graph.tensors[source].nbytes)),),
                arrays=(),
                inputs=(source,),
                output=output,
                node=node,
            )
        )
        source = output
    tensors = lowering.graph.tensors
    return Program(tensors, tuple(layers), graph.inputs[0], source, lowering.states, frozenset(outside))
