# SPDX-License-Identifier: Apache-2.0
"""What `verify` does for one model: its output, what a last softmax hides, and its layers where wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.common.reference import Reference
from codegen.compile import App, compile_app
from workbench.host import engine as inference
from workbench.host.model_app import model_app
from workbench.progress import waiting
from workbench.verify.layers import LayerResult, first_differing, verify_layers
from workbench.verify.outputs import Inputs, Verification, make_inputs, verify
from workbench.verify.reference import NoReferenceError, ReferenceInterpreter
from workbench.verify.unsquashed import without_squashing

# operator -> why LiteRT's interpreter is not asked: what it gives is no reference
UNFIT = {
    "SUM": "LiteRT's reference kernel of SUM takes int8 and int16 for uint8",
    "SVDF": "LiteRT's interpreter writes beyond its memory in an SVDF",
}


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
class ModelVerification:
    """results: of each output, and of what goes into a last SOFTMAX or LOGISTIC

    layers: None where not compared
    culprit: the first layer that differs; None where none does or none was looked for
    """

    results: dict[str, Verification]
    layers: list[LayerResult] | None
    culprit: LayerResult | None

    @property
    def differing(self) -> int:
        """Values, all tensors together."""
        everything = [*self.results.values(), *(layer.result for layer in self.layers or [])]
        return sum(result.differing for result in everything)


def verify_model(app: App, wanted: Wanted) -> ModelVerification:
    """Builds the model where it is not up to date, and compares. NoReferenceError: it has no reference."""
    results, inputs = _verify(app, wanted)
    cut = without_squashing(app.spec.classifier.model, app.graph, wanted.engine)
    if cut is not None:
        bare = model_app(cut.name, app.spec.classifier.kernels, wanted.reference, graph=cut.graph)
        results[f"input of the last {cut.op}"] = _verify(bare, wanted)[0]["output"]
    wrong = next((one for what, one in results.items() if what.startswith("output") and one.first), None)
    layers, culprit = None, None
    aot = wanted.engine == "aot"
    if wanted.layers and aot:
        layers = _layers(app, wanted, inputs)
        culprit = first_differing(layers)
    elif wrong is not None and aot:
        culprit = first_differing(_layers(app, wanted, _around(inputs, wrong, wanted.sequence)))
    return ModelVerification(results, layers, culprit)


def _verify(app: App, wanted: Wanted) -> tuple[dict[str, Verification], Inputs]:
    graph, model = app.graph, app.spec.classifier.model
    if wanted.reference is Reference.LITERT:
        unfit = next((UNFIT[node.op] for node in graph.nodes if node.op in UNFIT), None)
        if unfit is not None:
            raise NoReferenceError(f"{model}: {unfit}")
    sequence = wanted.sequence and bool(graph.variables)
    with (
        ReferenceInterpreter(model, wanted.reference, graph.content) as reference_interpreter,
        inference.open_engine(app, wanted.target, wanted.engine) as engine,
    ):
        with waiting("choosing inputs, some of them between two classes"):
            inputs = make_inputs(reference_interpreter, graph, wanted.samples, wanted.seed, sequence=sequence)
        return verify(engine, inputs, graph, sequence=sequence), inputs


def _around(inputs: Inputs, output: Verification, sequence: bool) -> Inputs:
    """The first input that gave a wrong output; of a sequence all up to it."""
    assert output.first is not None
    last = output.first.input
    chosen = np.arange(0 if sequence else last, last + 1)
    names = [inputs.names[index] for index in chosen]
    return Inputs(inputs.values[chosen], names, inputs.expected[chosen])


def _layers(app: App, wanted: Wanted, inputs: Inputs) -> list[LayerResult]:
    """Of the same program, kernels and memory plan, built to append all layers' outputs."""
    graph, classifier, reference = app.graph, app.spec.classifier, wanted.reference
    bare = model_app(classifier.model, classifier.kernels, reference, layer_outputs=True, graph=graph)
    outputs = compile_app(bare).layer_outputs
    sequence = wanted.sequence and bool(graph.variables)
    with (
        ReferenceInterpreter(classifier.model, reference, graph.content) as reference_interpreter,
        inference.open_engine(bare, wanted.target, wanted.engine) as engine,
    ):
        return verify_layers(engine, reference_interpreter, graph, outputs, inputs, sequence=sequence)
