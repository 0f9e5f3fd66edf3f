"""Incremental models compiled in one go, on the PC under sanitizers or for a Cortex-M4 in QEMU, and driven by scripts."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.graph import Graph
from codegen.incremental import Incremental, incremental
from codegen.lower import lower
from codegen.model_source import model_source
from codegen.render import render
from codegen.spec import (
    Audio,
    Cascade,
    Classifier,
    Decision,
    Gate,
    Layout,
    Mfcc,
    Pipeline,
    Scale,
    Spec,
    Window,
)
from codegen.tflite_file import load_graph
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.models_c import CORTEX_M4, HERE, QEMU_SECONDS, SANITIZE

Int8s = NDArray[np.int8]


@dataclass(frozen=True)
class App:
    """A model and how the cascade enters it."""

    model: Path
    frames: int
    cepstra: int
    layout: Layout
    kernels: str = "small"

    def spec(self, name: str) -> Spec:
        """The app with defaults around the model."""
        pipeline = Pipeline(
            audio=Audio(),
            window=Window(),
            gate=Gate(),
            mfcc=Mfcc(cepstra=self.cepstra),
            scale=Scale(),
            cascade=Cascade(frames=self.frames),
            decision=Decision(("a",), (Fraction(4, 5),)),
        )
        classifier = Classifier(self.model, layout=self.layout, kernels=self.kernels)
        return Spec(name, self.model.parent / "pipeline.toml", classifier, pipeline)

    def tensor(self, frames: Int8s, newest: int) -> Int8s:
        """The input of the decision whose newest frame is frames[newest]."""
        window = frames[newest - self.frames + 1 : newest + 1]
        return np.ascontiguousarray(window.T if self.layout is Layout.CEPSTRA_BY_FRAMES else window)


def plan_of(app: App, graph: Graph) -> Incremental | str:
    """What the planner makes of it."""
    return incremental(app.spec("m"), graph, lower(graph))


class StreamsC:
    """Several incremental models in one program; `target`: "pc" or "qemu"."""

    def __init__(self, apps: Sequence[App], *, target: str = "pc") -> None:
        if target == "qemu":
            for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
                if shutil.which(tool) is None:
                    pytest.skip(f"{tool} is not installed")
        self.apps, self.target = apps, target
        self.graphs = [load_graph(app.model) for app in apps]
        self._folder = tempfile.TemporaryDirectory(prefix="streams")
        self.folder = Path(self._folder.name)
        self._write()
        common = [*WARNINGS, "-O1", f"-I{FIRMWARE}", f"-I{self.folder}", str(HERE / "streams_main.c")]
        common += [str(self.folder / f"{kernels}.c") for kernels in sorted({app.kernels for app in apps})]
        command = ["gcc", *SANITIZE, *common]
        if target == "qemu":
            link = ["--specs=rdimon.specs", f"-T{HERE / 'semihost.ld'}", str(HERE / "semihost.c")]
            command = ["arm-none-eabi-gcc", *CORTEX_M4, *common, *link]
        program = str(self.folder / "streams")
        result = subprocess.run([*command, "-o", program], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr[:4000])

    def _write(self) -> None:
        includes = ['#include "nn/model.h"', "#include <stddef.h>", "#include <stdint.h>"]
        rows = []
        for index, (app, graph) in enumerate(zip(self.apps, self.graphs, strict=True)):
            name = f"m{index}"
            planned = plan_of(app, graph)
            assert isinstance(planned, Incremental), planned
            header = render("app.h.in", name=name, pipeline=None, input=graph.input, output=graph.output)
            (self.folder / f"{name}_model.c").write_text(model_source(app.spec(name), graph, 0))
            (self.folder / f"{name}.h").write_text(header)
            includes.append(f'#include "{name}.h"')
            with (self.folder / f"{app.kernels}.c").open("a") as together:
                together.write(f'#include "{name}_model.c"\n')
            size = max(planned.rest.arena, 16)
            rows.append(f"    {{&{name}_model, {name}_arena, {size}, {app.cepstra}}},")
        includes += ["static const struct {", "    const model_t *model;", "    uint8_t *arena;"]
        includes += ["    size_t arena_size, frame_size;", "} models[] = {", *rows, "};", ""]
        (self.folder / "models.h").write_text("\n".join(includes))

    def run(self, scripts: Sequence[Sequence[tuple[str, Int8s | None]]]) -> list[Int8s]:
        """For each model the outputs, [n, outputs], of its script's 'r' (with an input) and 'f'; 'a' takes a frame."""
        sent = b""
        for script in scripts:
            for letter, values in script:
                sent += letter.encode() + (b"" if values is None else np.ascontiguousarray(values).tobytes())
            sent += b"."
        program = str(self.folder / "streams")
        command = [program]
        if self.target == "qemu":
            command = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]
            command += ["-semihosting-config", "enable=on,target=native", "-kernel", program]
        result = subprocess.run(command, input=sent, capture_output=True, timeout=QEMU_SECONDS, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr.decode("utf-8", "replace")[:4000])
        outputs, start = [], 0
        for graph, script in zip(self.graphs, scripts, strict=True):
            count = sum(letter in "rf" for letter, _ in script)
            data = np.frombuffer(result.stdout, np.int8, count * graph.output.size, start)
            outputs.append(data.reshape(count, -1))
            start += data.size
        assert start == len(result.stdout)
        return outputs

