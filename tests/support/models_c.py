# SPDX-License-Identifier: Apache-2.0
"""Generated models in one program, run on tensors: on the PC under sanitizers or as they ship, or in QEMU."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Classifier, Spec
from codegen.common.reference import Reference
from codegen.common.render import render
from codegen.compile import Compiled, run_passes
from codegen.emit.model import model_source
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from codegen.passes.memory_plan import Plan
from tests.support.program_c import HERE, ProgramC, alone, answers, rows_of, shipped


def spec_of(name: str, kernels: str = "small", reference: Reference = Reference.LITERT) -> Spec:
    """A bare model of this name."""
    classifier = Classifier(Path("/none"), kernels=kernels, reference=reference)
    return Spec(name, Path("/none/pipeline.toml"), classifier, None)


def full_plan(compiled: Compiled) -> Plan:
    """The memory plan of a model that is computed in full."""
    assert isinstance(compiled.plan, Plan)
    return compiled.plan


def model_plan(graph: Graph) -> Plan:
    """Of a bare model with the kernels "small"."""
    return full_plan(run_passes(spec_of("m"), graph))


class ModelsC:
    """Several models in one program. `kernels`: "small" or "fast"; `target`: "pc" or "qemu".

    On the PC there is a second program, as it ships: no sanitizers, and each model (of many, some: ALONE)
    compiled alone by one of the SHIPPED builds in turn, since a compiler that sees one call of a kernel makes
    other code than one that sees many. Both must give the same bytes.
    """

    def __init__(
        self,
        models: Sequence[Path | Graph],
        *,
        kernels: str = "small",
        target: str = "pc",
        reference: Reference = Reference.LITERT,
        flags: Sequence[str] = ("-O1",),
    ) -> None:
        self.graphs = [model if isinstance(model, Graph) else load_graph(model) for model in models]
        self._folder = tempfile.TemporaryDirectory(prefix="models")
        folder = Path(self._folder.name)
        self._write(folder, kernels, reference)
        self.program = ProgramC(folder, [HERE / "models_main.c"], target=target, flags=flags)
        self.shipped: ProgramC | None = None
        if target == "pc":
            names = [f"m{index}" for index in range(len(self.graphs))]
            text = (folder / "models.h").read_text()
            for name in names:
                text = text.replace(f'"{name}_model.c"', f'"{name}.h"')
            (folder / "models.h").write_text(text)
            units = [f"{names[index]}_model.c" for index in alone(len(names))]
            self.shipped = shipped(folder, HERE / "models_main.c", units)

    def _write(self, folder: Path, kernels: str, reference: Reference) -> None:
        lines, rows = ['#include "nn/model.h"', "#include <stdint.h>", "#include <stddef.h>"], []
        for index, graph in enumerate(self.graphs):
            name = f"m{index}"
            compiled = run_passes(spec_of(name, kernels, reference), graph)
            header = render("app.h.in", name=name, pipeline=None, graph=graph)
            (folder / f"{name}_model.c").write_text(model_source(compiled, 0))
            (folder / f"{name}.h").write_text(header)
            lines.append(f'#include "{name}_model.c"')
            size = max(full_plan(compiled).arena, 16)
            types = {graph.tensors[end].dtype for end in (*graph.inputs, *graph.outputs)}
            any_address = int(graph.one_ended and types == {"int8"})  # several begin at multiples of four
            rows.append(f"    {{&{name}_model, {name}_arena[0].int8, {size}, {any_address}}},")
        lines += ["static const struct {", "    const model_t *model;", "    int8_t *arena;"]
        lines += [
            "    size_t arena_size;",
            "    int any_address;",
            "} models[] = {",
            *rows_of(rows),
            "};",
            "",
        ]
        (folder / "models.h").write_text("\n".join(lines))

    def run(self, inputs: Sequence[NDArray[Any]], *, sequence: bool = False) -> list[NDArray[Any]]:
        """Outputs of each model for rows of inputs without the batch axis; several inputs or outputs are
        packed (workbench.verify.packed). sequence: no reset between."""
        sent = []
        for graph, rows in zip(self.graphs, inputs, strict=True):
            assert rows.dtype == (graph.input.dtype if len(graph.inputs) == 1 else "uint8")
            header = struct.pack("<II", len(rows), int(sequence))
            sent.append(header + np.ascontiguousarray(rows).tobytes())
        sizes = [len(rows) * graph.output_bytes for graph, rows in zip(self.graphs, inputs, strict=True)]
        outputs = []
        for graph, rows, data in zip(
            self.graphs, inputs, answers(self.program, self.shipped, sent, sizes), strict=True
        ):
            if len(graph.outputs) > 1:
                outputs.append(np.frombuffer(data, np.uint8).reshape(len(rows), -1))
                continue
            shape = (len(rows), *graph.output.shape[graph.output.shape[:1] == (1,) :])
            outputs.append(np.frombuffer(data, graph.output.dtype).reshape(shape))
        return outputs
