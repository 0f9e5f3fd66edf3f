# SPDX-License-Identifier: Apache-2.0
"""The part of a model that an app computes: of one output, with int8 at its ends."""

from __future__ import annotations

from codegen.app.spec import Spec
from codegen.model.graph import Graph
from codegen.passes.int8_ends import int8_ends, read_at, with_output
from codegen.passes.int16_ends import narrow_ends


def computed_graph(spec: Spec, graph: Graph) -> Graph:
    """The part of the model in the app's file that the app's engine computes.

    The engine tflm runs the file as it is, of which one output is read; a bare model is run as it is, too.
    """
    if spec.pipeline is None:
        return graph
    if spec.classifier.engine == "tflm":
        return read_at(graph, spec.classifier.output)
    return narrow_ends(int8_ends(with_output(graph, spec.classifier.output)), spec.classifier)
