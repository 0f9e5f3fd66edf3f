"""The layers a model's C is made of, with their multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.graph import Graph
from codegen.incremental import Incremental, incremental
from codegen.lower import lower
from codegen.spec import Spec


@dataclass(frozen=True)
class ModelLayer:
    """A call in the generated C.

    name: of its struct, without the app's prefix; op: the model's operator
    mac: multiply-accumulates of a full inference, as the model defines it
    mac_incremental: of a decision one frame after the last; equal where the layer is computed in full
    """

    name: str
    op: str
    mac: int
    mac_incremental: int


def model_layers(spec: Spec, graph: Graph) -> tuple[ModelLayer, ...]:
    """In the order of the generated C."""
    program = lower(graph)
    rows = incremental(spec, graph, program)
    if not isinstance(rows, Incremental):
        return tuple(
            ModelLayer(layer.name, layer.node.op, layer.macs, layer.macs) for layer in program.layers
        )
    streamed = [
        ModelLayer(row.layer.name, row.layer.node.op, row.layer.macs, row.macs) for row in rows.layers
    ]
    rest = [
        ModelLayer(layer.name, layer.node.op, layer.macs, layer.macs) for layer in rows.rest.program.layers
    ]
    return (*streamed, *rest)
