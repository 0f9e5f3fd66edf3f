# SPDX-License-Identifier: Apache-2.0
"""All generated C of an app, from its folder: what SCons compiles and `generate` hands out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codegen.app.contract import check_contract
from codegen.app.fit import check
from codegen.app.spec import Spec, with_engine, with_kernels
from codegen.app.spec_file import load_spec
from codegen.app.tables import mfcc_scratch_bytes
from codegen.common.render import render
from codegen.emit.line_size import line_size
from codegen.emit.model import model_source
from codegen.emit.pipeline import pipeline_source
from codegen.emit.tflm import tflm_model
from codegen.model.graph import Graph
from codegen.passes.int8_ends import computed_graph
from codegen.passes.layer_outputs import output_bytes
from codegen.passes.legalise import load_graph


@dataclass(frozen=True, eq=False)
class App:
    """An app's pipeline.toml and its model, each read once and handed on. graph: as the file has it"""

    spec: Spec
    graph: Graph

    @property
    def computed(self) -> Graph:
        """What the engine aot computes of the model: an app's ends are int8."""
        return computed_graph(with_engine(self.spec, "aot"), self.graph)


def load_app(app: Path | App) -> App:
    """The app in this folder or of this pipeline.toml, read unless it is. UserError with every fault."""
    if isinstance(app, App):
        return app
    spec = load_spec(app)
    return App(spec, load_graph(spec.classifier.model))


def generate(app: Path | App, kernels: str | None = None, tflm: int | None = None) -> dict[str, str]:
    """File name -> text for an app. UserError with what is wrong.

    kernels: "small" or "fast" in place of the app's own choice.

    tflm: bytes of TensorFlow Lite Micro's arena where that is the engine (codegen.emit.tflm has its other
    sources). None: the engine is aot, with TFLM's bits where pipeline.toml names the engine tflm.

    NAME.h, NAME_model.c, NAME_pipeline.c (not for a bare model) and app.c; the same bytes for every board.
    """
    loaded = load_app(app)
    spec = with_engine(with_kernels(loaded.spec, kernels), "aot" if tflm is None else "tflm")
    graph = computed_graph(spec, loaded.graph)
    check(spec, graph)
    check_contract(spec)
    scratch = mfcc_scratch_bytes(spec.pipeline.mfcc) if spec.pipeline else 0
    model = model_source(spec, graph, scratch) if tflm is None else tflm_model(spec, graph, tflm, scratch)
    files = {f"{spec.name}.h": _header(spec, graph), f"{spec.name}_model.c": model}
    if spec.pipeline is not None:
        files[f"{spec.name}_pipeline.c"] = pipeline_source(spec, graph)
    files["app.c"] = _app(spec, graph)
    return files


def _header(spec: Spec, graph: Graph) -> str:
    return render(
        "app.h.in",
        name=spec.name,
        pipeline=spec.pipeline,
        input=graph.input,
        output=graph.output,
    )


def _app(spec: Spec, graph: Graph) -> str:
    return render(
        "app.c.in",
        name=spec.name,
        engine=spec.classifier.engine,
        model_hash=graph.sha256[:16],
        pipeline=spec.pipeline,
        input_bytes=graph.input.nbytes,
        output_bytes=output_bytes(spec, graph),
        line_size=line_size(spec, graph),
    )
