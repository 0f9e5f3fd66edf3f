# SPDX-License-Identifier: Apache-2.0
"""What `verify` does for one model: its output, what a last softmax hides, and its layers where wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.app.spec import Spec
from codegen.app.spec_file import load_spec
from codegen.common.reference import Reference
from codegen.model.graph import Graph
from codegen.passes.layer_outputs import layer_outputs
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from workbench.host import engine as inference
from workbench.host.model_app import model_app
from workbench.progress import waiting
from workbench.verify.layers import Layer, first_differing, verify_layers
from workbench.verify.outputs import Inputs, Verification, make_inputs, verify
from workbench.verify.reference import Oracle
from workbench.verify.unsquashed import without_squashing


@dataclass(frozen=True)
class Wanted:
    """How a model is verified."""

    target: str
    engine: str
    reference: Reference
    samples: int
    seed: int
    sequence: bool
    layers: bool  # all are compared; otherwise only where an output differs


@dataclass(frozen=True)
class Report:
    """results: of the output, and of what goes into a last SOFTMAX or LOGISTIC

    layers: None where not compared
    culprit: the first layer that differs; None where none does or none was looked for
    """

    results: dict[str, Verification]
    layers: list[Layer] | None
    culprit: Layer | None

    @property
    def differing(self) -> int:
        """Values, all tensors together."""
        everything = [*self.results.values(), *(layer.result for layer in self.layers or [])]
        return sum(result.differing for result in everything)


def verify_model(spec: Spec, graph: Graph, wanted: Wanted) -> Report:
    """Builds the app's model where it is not up to date, and compares. OracleError without a reference."""
    output, inputs = _verify(spec, graph, wanted)
    results = {"output": output}
    kernels, model = spec.classifier.kernels, spec.classifier.model
    cut = without_squashing(model)
    if cut is not None:
        bare = load_spec(model_app(cut[0], kernels, wanted.reference))
        results[f"input of the last {cut[1]}"] = _verify(bare, load_graph(bare.classifier.model), wanted)[0]
    layers, culprit = None, None
    aot = wanted.engine == "aot"
    if wanted.layers and aot:
        layers = _layers(spec, graph, wanted, inputs)
        culprit = first_differing(layers)
    elif output.first is not None and aot:
        culprit = first_differing(_layers(spec, graph, wanted, _around(inputs, output, wanted.sequence)))
    return Report(results, layers, culprit)


def _verify(spec: Spec, graph: Graph, wanted: Wanted) -> tuple[Verification, Inputs]:
    model = spec.classifier.model
    sequence = wanted.sequence and bool(graph.variables)
    with (
        Oracle(model, wanted.reference) as oracle,
        inference.open_engine(spec.file.parent, spec, wanted.target, wanted.engine) as engine,
    ):
        with waiting("choosing inputs, some of them between two classes"):
            inputs = make_inputs(oracle, graph, wanted.samples, wanted.seed, sequence=sequence)
        return verify(engine, inputs, graph, sequence=sequence), inputs


def _around(inputs: Inputs, output: Verification, sequence: bool) -> Inputs:
    """The first input that gave a wrong output; of a sequence all up to it."""
    assert output.first is not None
    last = output.first.input
    chosen = np.arange(0 if sequence else last, last + 1)
    names = [inputs.names[index] for index in chosen]
    return Inputs(inputs.values[chosen], names, inputs.expected[chosen])


def _layers(spec: Spec, graph: Graph, wanted: Wanted, inputs: Inputs) -> list[Layer]:
    """Of the same program, kernels and memory plan, built to append all layers' outputs."""
    model, reference = spec.classifier.model, wanted.reference
    bare = load_spec(model_app(model, spec.classifier.kernels, reference, every_layer=True))
    outputs = layer_outputs(graph, lower(graph, reference, fast=spec.classifier.fast))
    sequence = wanted.sequence and bool(graph.variables)
    with (
        Oracle(model, reference) as oracle,
        inference.open_engine(bare.file.parent, bare, wanted.target, wanted.engine) as engine,
    ):
        return verify_layers(engine, oracle, graph, outputs, inputs, sequence=sequence)
