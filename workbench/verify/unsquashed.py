# SPDX-License-Identifier: Apache-2.0
"""A model without its last squashing layer: differences that a saturated softmax hides show in its input."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ai_edge_litert.schema_py_generated as schema
import flatbuffers

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.passes.legalise import load_graph
from workbench.host.model_app import write_whole


def without_squashing(model: Path) -> tuple[Path, str] | None:
    """The model that ends before its final SOFTMAX or LOGISTIC, and which it is; None where there is none.

    `model` has been read and legalised.
    """
    data = model.read_bytes()
    cut = schema.ModelT.InitFromPackedBuf(data)
    if len(cut.subgraphs) != 1:
        return None  # a streaming model keeps its state in others
    (graph,) = cut.subgraphs
    last = graph.operators[-1]
    code = cut.operatorCodes[last.opcodeIndex]
    names = {getattr(schema.BuiltinOperator, name): name for name in ("SOFTMAX", "LOGISTIC")}
    name = names.get(max(code.builtinCode, code.deprecatedBuiltinCode))
    source = int(last.inputs[0])
    if name is None or list(last.outputs) != list(graph.outputs) or source in graph.inputs:
        return None
    graph.operators = graph.operators[:-1]
    graph.outputs = [source]
    cut.signatureDefs = None  # they name the output that is no more
    builder = flatbuffers.Builder(len(data))
    builder.Finish(cut.Pack(builder), b"TFL3")
    folder = ROOT / "build" / "models" / "cut" / hashlib.sha256(data).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{model.stem}_logits.tflite"
    write_whole(file, bytes(builder.Output()))
    try:
        load_graph(file)
    except UserError:
        return None  # what goes into the last layer cannot be an output
    return file, name
