# SPDX-License-Identifier: Apache-2.0
"""The outputs of all layers after the model's own output: what `verify` finds a differing layer by.

The program, its memory plan and its kernels are those of the model that ships; after a layer's call its
output is copied out, before anything may overwrite it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.layer import Program
from codegen.model.graph import Graph, Node, Tensor


@dataclass(frozen=True)
class LayerOutput:
    """A tensor of the model's file that a call leaves in memory.

    call: index of the call that completes it; node: the operator it is of; offset: bytes in the output
    tensor: as the call leaves it; kept: the channels that it has of the model's, None where it has all
    """

    call: int
    node: Node
    tensor: Tensor
    offset: int
    kept: NDArray[np.int64] | None


def layer_outputs(graph: Graph, program: Program) -> tuple[LayerOutput, ...]:
    """In the order of the calls. Not among them: what only lowering knows, variables, the output itself."""
    complete = {layer.output: call for call, layer in enumerate(program.layers)}
    makers = {output: node for node in graph.nodes for output in node.outputs}
    found: list[LayerOutput] = []
    offset = graph.output_bytes
    for tensor, call in sorted(complete.items(), key=lambda pair: pair[1]):
        if tensor not in makers or graph.tensors[tensor].made:
            continue
        if tensor not in program.states and tensor not in program.ends:
            made = program.tensors[tensor]
            found.append(LayerOutput(call, makers[tensor], made, offset, program.kept.get(tensor)))
            offset += made.nbytes
    return tuple(found)
