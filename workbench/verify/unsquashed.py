# SPDX-License-Identifier: Apache-2.0
"""A model without its last squashing layer: differences that a saturated softmax hides show in its input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ai_edge_litert.schema_py_generated as schema
import flatbuffers

from codegen.common.errors import UserError
from codegen.model.graph import Graph
from codegen.passes.legalise import load_for


@dataclass(frozen=True)
class Unsquashed:
    """A model that ends before its last SOFTMAX or LOGISTIC (op). name: of the file that it would be in"""

    name: Path
    graph: Graph
    op: str


def without_squashing(model: Path, graph: Graph, engine: str = "aot") -> Unsquashed | None:
    """The model without its last layer; None where that is none of both, or reads what cannot be an output.

    model: the file that `graph` was read from; engine: that runs it
    """
    cut = schema.ModelT.InitFromPackedBuf(graph.content)
    if len(cut.subgraphs) != 1:
        return None  # a streaming model keeps its state in others
    (main,) = cut.subgraphs
    last = main.operators[-1]
    code = cut.operatorCodes[last.opcodeIndex]
    names = {getattr(schema.BuiltinOperator, name): name for name in ("SOFTMAX", "LOGISTIC")}
    name = names.get(max(code.builtinCode, code.deprecatedBuiltinCode))
    source = int(last.inputs[0])
    if name is None or list(last.outputs) != list(main.outputs) or source in main.inputs:
        return None
    main.operators = main.operators[:-1]
    main.outputs = [source]
    cut.signatureDefs = None  # they name the output that is no more
    builder = flatbuffers.Builder(len(graph.content))
    builder.Finish(cut.Pack(builder), b"TFL3")
    named = model.with_name(f"{model.stem}_logits.tflite")
    try:
        return Unsquashed(named, load_for(engine, named, bytes(builder.Output())), name)
    except UserError:
        return None  # what goes into the last layer cannot be an output
