"""Generated models compiled in one go, on the PC under sanitizers or for a Cortex-M4 in QEMU, and run on tensors."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.graph import Graph
from codegen.model_source import model_plan, model_source
from codegen.quantize import Reference
from codegen.render import render
from codegen.spec import Classifier, Spec
from codegen.tflite_file import load_graph
from tests.support.compile import FIRMWARE, WARNINGS

HERE = Path(__file__).resolve().parent
SANITIZE = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
QEMU_SECONDS = 300


class ModelsC:
    """Several models in one program. `kernels`: "small" or "fast"; `target`: "pc" or "qemu"."""

    def __init__(
        self,
        models: Sequence[Path | Graph],
        *,
        kernels: str = "small",
        target: str = "pc",
        reference: Reference = Reference.LITERT,
        flags: Sequence[str] = ("-O1",),
    ) -> None:
        if target == "qemu":
            for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
                if shutil.which(tool) is None:
                    pytest.skip(f"{tool} is not installed")
        self.graphs = [model if isinstance(model, Graph) else load_graph(model) for model in models]
        self.target = target
        self._folder = tempfile.TemporaryDirectory(prefix="models")
        self.folder = Path(self._folder.name)
        self._write(kernels, reference)
        self.program = self.folder / "models"
        self._compile(flags)

    def _write(self, kernels: str, reference: Reference) -> None:
        lines, rows = ['#include "nn/model.h"', "#include <stdint.h>", "#include <stddef.h>"], []
        for index, graph in enumerate(self.graphs):
            name = f"m{index}"
            spec = Spec(name, Path("/none/pipeline.toml"), Classifier(Path("/none"), kernels=kernels), None)
            source = model_source(spec, graph, 0, reference)
            header = render("app.h.in", name=name, pipeline=None, input=graph.input, output=graph.output)
            (self.folder / f"{name}_model.c").write_text(source)
            (self.folder / f"{name}.h").write_text(header)
            lines.append(f'#include "{name}_model.c"')
            size = max(model_plan(graph, reference).arena, 16)
            any_address = int(graph.input.dtype == graph.output.dtype == "int8")
            rows.append(f"    {{&{name}_model, {name}_arena, {size}, {any_address}}},")
        lines += ["static const struct {", "    const model_t *model;", "    uint8_t *arena;"]
        lines += ["    size_t arena_size;", "    int any_address;", "} models[] = {", *rows, "};", ""]
        (self.folder / "models.h").write_text("\n".join(lines))

    def _compile(self, flags: Sequence[str]) -> None:
        common = [*WARNINGS, *flags, f"-I{FIRMWARE}", f"-I{self.folder}", str(HERE / "models_main.c")]
        if self.target == "pc":
            command = ["gcc", *SANITIZE, *common]
        else:
            link = ["--specs=rdimon.specs", f"-T{HERE / 'semihost.ld'}", str(HERE / "semihost.c")]
            command = ["arm-none-eabi-gcc", *CORTEX_M4, *common, *link]
        result = subprocess.run(
            [*command, "-o", str(self.program)], capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise AssertionError(result.stderr[:4000])

    def run(self, inputs: Sequence[NDArray[Any]], *, sequence: bool = False) -> list[NDArray[Any]]:
        """Outputs of each model for rows of inputs without the batch axis."""
        sent = b""
        for graph, rows in zip(self.graphs, inputs, strict=True):
            assert rows.dtype == graph.input.dtype
            sent += struct.pack("<II", len(rows), int(sequence)) + np.ascontiguousarray(rows).tobytes()
        command = [str(self.program)]
        if self.target == "qemu":
            command = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]
            command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(self.program)]
        result = subprocess.run(command, input=sent, capture_output=True, timeout=QEMU_SECONDS, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr.decode("utf-8", "replace")[:4000])
        outputs, start = [], 0
        for graph, rows in zip(self.graphs, inputs, strict=True):
            size = len(rows) * graph.output.nbytes
            data = np.frombuffer(result.stdout, graph.output.dtype, len(rows) * graph.output.size, start)
            outputs.append(data.reshape(len(rows), *graph.output.shape[1:]))
            start += size
        assert start == len(result.stdout)
        return outputs
