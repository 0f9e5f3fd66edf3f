# SPDX-License-Identifier: Apache-2.0
"""The compiler: an app's pipeline.toml and model become one object, from which all else is made.

Reading comes first, each file once (`load_app`): the settings, then the graph, with the passes from graph to
graph that passes/legalise.py lists, and the refusal of what the engine does not compute exactly. An app's
model gets int8 ends, and is held to the settings (`compile_app`). Then come the passes to kernels and memory,
in the order in which `run_passes` has them. Nothing after this lowers or plans again: C, tables, figures and
counts are read from `Compiled`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.app.contract import feature_contract
from codegen.app.fit import check
from codegen.app.spec import Spec, with_engine, with_kernels
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.incremental import Edges, Incremental, incremental
from codegen.kernels.layer import Program
from codegen.model.graph import Graph
from codegen.passes.app_ends import computed_graph
from codegen.passes.layer_outputs import LayerOutput, layer_outputs
from codegen.passes.legalise import load_for
from codegen.passes.lower import lower
from codegen.passes.memory_plan import Plan, plan
from codegen.passes.output_pairs import output_pairs
from codegen.passes.wide_weights import wide_weights


@dataclass(frozen=True, eq=False)
class App:
    """An app's pipeline.toml and its model, each read once and handed on. graph: as the file has it"""

    spec: Spec
    graph: Graph
    others: tuple[App, ...] = ()  # of a file with several classifiers those after the first

    @property
    def model_hash(self) -> str:
        """16 hex digits: the start of the .tflite's SHA-256; of several classifiers, of a hash over these and
        the feature contracts."""
        if not self.others:
            return self.graph.sha256[:16]
        every = (self, *self.others)
        text = " ".join(f"{app.graph.sha256} {feature_contract(app.spec)}" for app in every)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Compiled:
    """What the passes made of an app.

    graph: what the engine computes: where an app's model has other ends in its file, the int8 between them
    program: the kernels' calls of a full run, with their constants; of the engine tflm none
    plan: where each tensor of the program lies; or, where the model is computed incrementally, the schedule,
        state and memory of a decision
    reason: why it is computed in full; "" where it is not
    contract: 16 hex digits over what the model's features depend on; None for a bare model
    layer_outputs: the tensors that run() appends to the model's output, where the spec wants them
    """

    spec: Spec
    graph: Graph
    program: Program
    plan: Plan | Incremental | Edges
    reason: str
    contract: str | None
    layer_outputs: tuple[LayerOutput, ...]
    others: tuple[Compiled, ...] = ()  # of an app with several classifiers those after the first

    @property
    def model_hash(self) -> str:
        """App.model_hash."""
        return App(self.spec, self.graph, tuple(App(one.spec, one.graph) for one in self.others)).model_hash

    @property
    def output_bytes(self) -> int:
        """Of what the model's run() writes."""
        return self.graph.output_bytes + sum(output.tensor.nbytes for output in self.layer_outputs)


def load_app(app: Path | App, engine: str | None = None) -> App:
    """The app in this folder or of this pipeline.toml, read unless it is. UserError with every fault.

    engine: what runs its model, in place of the app's own
    """
    if isinstance(app, App):
        return app
    spec = load_spec(app, several=True)
    return with_graphs(spec, engine or spec.classifier.engine)


def with_graphs(spec: Spec, engine: str) -> App:
    """The app with its model, or models, read for an engine: each refuses what it does not compute."""
    try:
        others = tuple(App(other, load_for(engine, other.classifier.model)) for other in spec.others)
        return App(spec, load_for(engine, spec.classifier.model), others)
    except UserError as error:
        if engine != "tflm" and spec.classifier.engine == "tflm":
            raise _stands_in(spec, error) from None
        raise


def _stands_in(spec: Spec, error: UserError) -> UserError:
    """What aot refuses, and that the app's own engine takes it; where the file itself is whole."""
    errors = error.errors if isinstance(error, UserErrors) else (error,)
    try:
        load_for("tflm", spec.classifier.model)
    except UserError:
        return error
    own = UserError(
        "the engine tflm runs this model on boards and in emulators; here the engine aot would compute it",
        file=spec.file,
        remedy="`verify`, `infer` and `replay` run it there: --target qemu.",
    )
    return UserErrors([*errors, own])


def compile_app(app: Path | App, kernels: str | None = None, engine: str | None = None) -> Compiled:
    """The app, compiled. UserError with every fault, those of settings that do not fit the model too.

    kernels: "small" or "fast", engine: "aot" or "tflm", in place of the app's own.
    """
    loaded = load_app(app, engine)
    spec = with_kernels(loaded.spec, kernels)
    spec = with_engine(spec, engine or spec.classifier.engine)
    graph = computed_graph(spec, loaded.graph)
    check(spec, graph)
    others = tuple(compile_app(other, kernels, engine) for other in loaded.others)
    if spec.classifier.engine == "tflm":
        return _interpreted(spec, graph)
    return replace(run_passes(spec, graph), others=others)


def _interpreted(spec: Spec, graph: Graph) -> Compiled:
    """An app whose engine runs the model's file: no kernel is called, no memory planned."""
    program = Program(graph.tensors, (), graph.inputs[0], graph.outputs[0])
    contract = None if spec.pipeline is None else feature_contract(spec)
    reason = "TensorFlow Lite Micro computes everything for each decision"
    return Compiled(spec, graph, program, Plan(program, (), (), 0, 0), reason, contract, ())


def run_passes(spec: Spec, graph: Graph) -> Compiled:
    """The passes, in their order, over what has been read and checked."""
    classifier = spec.classifier
    lowered = lower(graph, classifier.reference, fast=classifier.fast)
    sliding = incremental(spec, graph, lowered)
    program = output_pairs(wide_weights(lowered) if classifier.fast else lowered)
    planned = plan(program) if isinstance(sliding, str) else sliding
    outputs = layer_outputs(graph, program) if classifier.layer_outputs else ()
    reason = sliding if isinstance(sliding, str) else ""
    contract = None if spec.pipeline is None else feature_contract(spec)
    return Compiled(spec, graph, program, planned, reason, contract, outputs)
