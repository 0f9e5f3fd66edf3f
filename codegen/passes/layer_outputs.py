# SPDX-License-Identifier: Apache-2.0
"""The outputs of all layers after the model's own output: what `verify` finds a differing layer by.

The program, its memory plan and its kernels are those of the model that ships; after a layer's call its
output is copied out, before anything may overwrite it.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.kernels.layer import Program
from codegen.model.graph import Graph, Node, Tensor


@dataclass(frozen=True)
class LayerOutput:
    """A tensor of the model's file that a call leaves in memory.

    call: index of the call that completes it; node: the operator it is of; offset: bytes in the output
    """

    call: int
    node: Node
    tensor: Tensor
    offset: int


def layer_outputs(graph: Graph, program: Program) -> tuple[LayerOutput, ...]:
    """In the order of the calls. Not among them: what only lowering knows, variables, the output itself."""
    complete = {layer.output: call for call, layer in enumerate(program.layers)}
    makers = {output: node for node in graph.nodes for output in node.outputs}
    found: list[LayerOutput] = []
    offset = graph.output.nbytes
    for tensor, call in sorted(complete.items(), key=lambda pair: pair[1]):
        if tensor not in makers or graph.tensors[tensor].made:
            continue
        if tensor not in program.states and tensor != program.output:
            found.append(LayerOutput(call, makers[tensor], graph.tensors[tensor], offset))
            offset += graph.tensors[tensor].nbytes
    return tuple(found)
