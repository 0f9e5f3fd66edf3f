# SPDX-License-Identifier: Apache-2.0
"""All generated C of an app: what SCons compiles and `generate` hands out."""

from __future__ import annotations

from codegen.app.contract import check_contract
from codegen.app.spec import Spec
from codegen.app.tables import scratch_bytes
from codegen.common.render import render
from codegen.compile import Compiled
from codegen.emit.line_size import line_size
from codegen.emit.model import model_source
from codegen.emit.pipeline import pipeline_source
from codegen.emit.tflm import tflm_model


def sources(compiled: Compiled, arena: int | None = None) -> dict[str, str]:
    """File name -> text. UserError where the model was trained on other features than the app's.

    arena: bytes of TensorFlow Lite Micro's arena where that is the engine (codegen.emit.tflm has its other
    sources). None: the engine is aot, also in place of tflm.

    NAME.h, NAME_model.c, NAME_pipeline.c (not for a bare model) and app.c; of several classifiers for each of
    the others its own NAME.h and NAME_model.c. The same bytes for every board.
    """
    spec, graph = compiled.spec, compiled.graph
    members = (compiled, *compiled.others)
    for member in members:
        check_contract(member.spec)
    scratch = scratch_bytes(spec.pipeline) if spec.pipeline else 0
    if arena is None:
        needed = max((scratch, *(other.plan.arena for other in compiled.others)))
        model = model_source(compiled, needed)
    else:
        model = tflm_model(spec, graph, arena, scratch)
    files = {f"{spec.name}.h": _header(compiled), f"{spec.name}_model.c": model}
    for other in compiled.others:
        files |= {
            f"{other.spec.name}.h": _header(other),
            f"{other.spec.name}_model.c": model_source(other, 0),
        }
    if spec.pipeline is not None:
        files[f"{spec.name}_pipeline.c"] = pipeline_source(compiled)
    files["app.c"] = _app(compiled)
    return files


def _header(compiled: Compiled) -> str:
    spec, graph = compiled.spec, compiled.graph
    return render(
        "app.h.in",
        name=spec.name,
        pipeline=spec.pipeline,
        graph=graph,
        shares=spec.first,
    )


def _app(compiled: Compiled) -> str:
    spec, graph = compiled.spec, compiled.graph
    return render(
        "app.c.in",
        name=spec.name,
        engine=spec.classifier.engine,
        model_hash=compiled.model_hash,
        pipeline=spec.pipeline,
        input_bytes=graph.input_bytes,
        output_bytes=compiled.output_bytes,
        line_size=line_size(compiled),
        members=named_members(compiled),
    )


def named_members(compiled: Compiled) -> list[tuple[Spec, str]]:
    """Of each classifier its spec, and what a boot line has of its model's hash."""
    return [(one.spec, one.graph.sha256[:16]) for one in (compiled, *compiled.others)]
