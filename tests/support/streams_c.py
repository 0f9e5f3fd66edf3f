# SPDX-License-Identifier: Apache-2.0
"""Incremental models in one program, on the PC or for a Cortex-M4 in QEMU, driven by scripts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import (
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
from codegen.common.render import render
from codegen.compile import run_passes
from codegen.emit.model import model_source
from codegen.emit.modes import ModePlan, mode_plan
from codegen.incremental import Edges, Incremental, incremental
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.support.compile import FIRMWARE
from tests.support.program_c import HERE, ProgramC, alone, answers, rows_of, shipped

Int8s = NDArray[np.int8]


@dataclass(frozen=True)
class App:
    """A model and how the cascade enters it."""

    model: Path
    frames: int
    cepstra: int
    layout: Layout
    kernels: str = "small"
    memory: int = 1 << 20
    every: int = 1

    def spec(self, name: str) -> Spec:
        """The app with defaults around the model."""
        pipeline = Pipeline(
            audio=Audio(),
            window=Window(),
            gate=Gate(),
            front_end=Mfcc(cepstra=self.cepstra),
            scale=Scale(),
            cascade=Cascade(self.frames, every=self.every, memory=self.memory),
            decision=Decision(("a",), (Fraction(4, 5),)),
        )
        classifier = Classifier(self.model, layout=self.layout, kernels=self.kernels)
        return Spec(name, self.model.parent / "pipeline.toml", classifier, pipeline)

    def tensor(self, frames: Int8s, newest: int) -> Int8s:
        """The input of the decision whose newest frame is frames[newest]."""
        window = frames[newest - self.frames + 1 : newest + 1]
        return np.ascontiguousarray(window.T if self.layout is Layout.CEPSTRA_BY_FRAMES else window)


def modes_of(app: App, graph: Graph | None = None) -> ModePlan:
    """How its layers are computed."""
    return mode_plan(run_passes(app.spec("m"), load_graph(app.model) if graph is None else graph))


def plan_of(app: App, graph: Graph) -> Incremental | Edges | str:
    """What the planner makes of it."""
    spec = app.spec("m")
    return incremental(spec, graph, lower(graph, fast=spec.classifier.fast))


class StreamsC:
    """Several incremental models in one program; `target`: "pc" (also as it ships, see ModelsC) or "qemu"."""

    main = "streams_main.c"
    firmware: tuple[str, ...] = ()
    flags = ("-O1",)

    def __init__(self, apps: Sequence[App], *, target: str = "pc") -> None:
        self.apps = apps
        self.graphs = [load_graph(app.model) for app in apps]
        self._folder = tempfile.TemporaryDirectory(prefix="streams")
        self.folder = Path(self._folder.name)
        self._write()
        sources = [HERE / self.main, *(FIRMWARE / file for file in self.firmware)]
        sources += [self.folder / f"{kernels}.c" for kernels in sorted({app.kernels for app in apps})]
        counted = target == "qemu" and bool(self.firmware)
        self.program = ProgramC(self.folder, sources, target=target, flags=self.flags, counted=counted)
        self.shipped: ProgramC | None = None
        if target == "pc":
            units = [f"m{index}_alone.c" for index in alone(len(apps))]
            units += [str(FIRMWARE / file) for file in self.firmware]
            self.shipped = shipped(self.folder, HERE / self.main, units)

    def _answers(self, scripts: Scripts, letters: str, more: int = 0) -> list[bytes]:
        """Of each model: for each of `letters` in its script an output and `more` bytes."""
        counts = [sum(letter in letters for letter, _ in script) for script in scripts]
        sizes = [count * (graph.output.size + more) for count, graph in zip(counts, self.graphs, strict=True)]
        return answers(self.program, self.shipped, [sent([script]) for script in scripts], sizes)

    def _write(self) -> None:
        includes = ["#pragma once", '#include "nn/model.h"', "#include <stdbool.h>"]
        includes += ["#include <stddef.h>", "#include <stdint.h>"]
        includes += ["typedef struct {", "    uint8_t *bytes;", "    size_t size, width;", "} kept_t;"]
        rows = []
        for index, (app, graph) in enumerate(zip(self.apps, self.graphs, strict=True)):
            name = f"m{index}"
            compiled = run_passes(app.spec(name), graph)
            planned = compiled.plan
            assert isinstance(planned, (Incremental, Edges)), compiled.reason
            header = render("app.h.in", name=name, pipeline=None, graph=graph)
            (self.folder / f"{name}_model.c").write_text(model_source(compiled, 0))
            (self.folder / f"{name}.h").write_text(header)
            includes.append(f'#include "{name}.h"')
            kept = [f"{name}_{one}_values" for one in planned.state_names]
            sizes = [f"{{(uint8_t *){one}, sizeof {one}, sizeof *{one}}}" for one in kept]
            unit = f'#include "models.h"\n#include "{name}_model.c"\n'
            unit += f"const kept_t {name}_kept[] = {{{', '.join(sizes)}}};\n"
            (self.folder / f"{name}_alone.c").write_text(unit)
            with (self.folder / f"{app.kernels}.c").open("a") as together:
                together.write(unit)
            includes.append(f"extern const kept_t {name}_kept[{len(kept)}];")
            size = max(planned.arena, 16)
            turned = "true" if planned.transposed else "false"
            row = f"&{name}_model, {name}_arena[0].int8, {name}_kept, {size}"
            rows.append(f"    {{{row}, {app.cepstra}, {app.frames}, {app.every}, {turned}}},")
        includes += ["static const struct {", "    const model_t *model;", "    int8_t *arena;"]
        includes += ["    const kept_t *kept;", "    size_t arena_size, frame_size, frames, every;"]
        includes += ["    bool transposed; /* the input tensor has time along its columns */"]
        includes += ["} models[] __attribute__((unused)) = {", *rows_of(rows), "};", ""]
        (self.folder / "models.h").write_text("\n".join(includes))

    def run(self, scripts: Sequence[Sequence[tuple[str, Int8s | None]]]) -> list[Int8s]:
        """For each model [n, outputs]: of its script's 'r' (takes an input) and 'f'.

        'a' takes a frame; 'z' resets; 'p' takes the number of kept memory, whose values it changes.
        """
        found = zip(self.graphs, self._answers(scripts, "rf"), strict=True)
        return [np.frombuffer(data, np.int8).reshape(-1, graph.output.size) for graph, data in found]


TICK = 0.025  # of the virtual board's timer a nanosecond; an instruction takes 64
Scripts = Sequence[Sequence[tuple[str, Int8s | None]]]


class CascadesC(StreamsC):
    """The same models after the pipeline's cascade and classifier, which catch up as they do on a device."""

    main = "cascades_main.c"
    firmware = ("pipeline/cascade.c", "pipeline/classifier.c")
    flags = ("-O2",)

    def decide(self, scripts: Scripts) -> list[tuple[Int8s, NDArray[np.int64]]]:
        """For each model, of its script's 'd': scores [n, outputs], and instructions [n] on "qemu".

        'n' takes a new frame, 'z' resets.
        """
        found = []
        for graph, data in zip(self.graphs, self._answers(scripts, "d", 4), strict=True):
            size = graph.output.size
            rows = np.frombuffer(data, np.int8).reshape(-1, size + 4)
            ticks = np.ascontiguousarray(rows[:, size:]).view(np.uint32).reshape(-1)
            found.append((rows[:, :size], np.round(ticks / (64 * TICK)).astype(np.int64)))
        return found


def sent(scripts: Scripts) -> bytes:
    """The scripts as a program reads them."""
    parts: list[bytes] = []
    for script in scripts:
        for letter, values in script:
            parts.append(letter.encode())
            if values is not None:
                parts.append(np.ascontiguousarray(values).tobytes())
        parts.append(b".")
    return b"".join(parts)
