# SPDX-License-Identifier: Apache-2.0
"""Apps for tests of the pipeline: settings, a graph that fits, and the generated C around a fake model."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from codegen.app.contract import feature_contract
from codegen.app.spec import (
    Audio,
    Cascade,
    Classifier,
    Decision,
    FrontEnd,
    Gate,
    Layout,
    LogMel,
    Mfcc,
    MicroFrontend,
    Pipeline,
    Rounding,
    Scale,
    Spec,
    Window,
)
from codegen.app.tables import scratch_bytes
from codegen.common.render import render
from codegen.compile import Compiled
from codegen.emit.pipeline import pipeline_source
from codegen.kernels.layer import Program
from codegen.model.graph import Graph, Quantization, Tensor, Variable
from codegen.passes.memory_plan import plan
from tests.support.compile import compile_shared
from tests.support.pipeline_c import SOURCES, runtime

FAKE_MODEL = Path(__file__).with_name("fake_model.c")


def without_layers(spec: Spec, graph: Graph) -> Compiled:
    """What stands for a compiled app whose model is a test's own C: `graph` has its edges alone."""
    program = Program(graph.tensors, (), graph.inputs[0], graph.outputs[0])
    contract = None if spec.pipeline is None else feature_contract(spec)
    return Compiled(spec, graph, program, plan(program), "a test's own model", contract, ())


@dataclass(frozen=True)
class App:
    """What a test sets. Features enter the model as u - 128, scores are (q + 128) / 256."""

    audio: Audio = field(default_factory=Audio)
    window: Window = field(default_factory=Window)
    gate: Gate = field(default_factory=Gate)
    mfcc: Mfcc = field(default_factory=Mfcc)
    other: MicroFrontend | LogMel | None = None  # the front end in place of mfcc
    scale: Scale = field(default_factory=Scale)
    cascade: Cascade = field(default_factory=Cascade)
    labels: tuple[str, ...] = ("key", "knock", "lock", "noise")
    threshold: Fraction = Fraction(4, 5)
    votes: int = 1
    mean: int = 1
    streams: bool = False  # the model has a memory of its own
    layout: Layout = Layout.FRAMES_BY_CEPSTRA
    offset: int = 0
    rounding: Rounding = Rounding.NEAREST
    input_scale: float = 1.0
    input_zero_point: int = -128

    @property
    def front_end(self) -> FrontEnd:
        """What the model hears."""
        return self.other or self.mfcc

    @property
    def pipeline(self) -> Pipeline:
        """All but the model."""
        pipeline = self.spec.pipeline
        assert pipeline is not None
        return pipeline

    @property
    def spec(self) -> Spec:
        """The app's spec."""
        decision = Decision(self.labels, (self.threshold,) * len(self.labels), self.votes, self.mean)
        stages = (self.audio, self.window, self.gate, self.front_end, self.scale, self.cascade, decision)
        classifier = Classifier(
            Path("/app/model.tflite"), layout=self.layout, offset=self.offset, rounding=self.rounding
        )
        return Spec("app", Path("/app/pipeline.toml"), classifier, Pipeline(*stages))

    @property
    def graph(self) -> Graph:
        """A model's edges; no nodes."""
        frames, cepstra = self.cascade.frames, self.front_end.size
        natural = self.layout is Layout.FRAMES_BY_CEPSTRA
        shape = (1, frames, cepstra, 1) if natural else (1, cepstra, frames, 1)
        graph = edges(shape, len(self.labels), Quantization((self.input_scale,), (self.input_zero_point,)))
        memory = Variable(0, "memory", (1,), "int8", np.zeros(1, np.int8))
        return replace(graph, variables=(memory,) if self.streams else ())

    @property
    def compiled(self) -> Compiled:
        """The app around a model of a test's own."""
        return without_layers(self.spec, self.graph)

    def sources(self, folder: Path) -> list[Path]:
        """Writes app.h and app_pipeline.c; the C files to compile, without the model."""
        header = render(
            "app.h.in",
            name="app",
            pipeline=self.spec.pipeline,
            graph=self.graph,
        )
        (folder / "app.h").write_text(header)
        source = folder / "app_pipeline.c"
        source.write_text(pipeline_source(self.compiled))
        return [source, *SOURCES]

    def defines(self, *, incremental: bool = False, catch_up: int = 0) -> list[str]:
        """Flags for fake_model.c."""
        macros = {
            "HEADER": '"app.h"',
            "MODEL": "app_model",
            "ARENA": "app_arena",
            "ARENA_BYTES": scratch_bytes(self.pipeline),
            "FRAMES": self.cascade.frames,
            "CEPSTRA": self.front_end.size,
            "LABELS": len(self.labels),
            "TRANSPOSED": int(self.layout is Layout.CEPSTRA_BY_FRAMES),
            "INCREMENTAL": int(incremental),
            "CATCH_UP": catch_up,
        }
        return [f"-D{name}={value}" for name, value in macros.items()]

    def build(self, folder: Path, *, incremental: bool = False, catch_up: int = 0) -> Path:
        """libapp.so of the generated C and the fake model, linked against the runtime."""
        source, *_ = self.sources(folder)
        return self.link(folder, source, incremental=incremental, catch_up=catch_up)

    def link(self, folder: Path, source: Path, *, incremental: bool = False, catch_up: int = 0) -> Path:
        """The same from a generated file that a test has changed."""
        flags = ["-Wl,--no-as-needed", *self.defines(incremental=incremental, catch_up=catch_up)]
        return compile_shared(
            folder, [source, FAKE_MODEL, runtime()], includes=[folder], flags=flags, name=f"app_{folder.name}"
        )


def edges(shape: tuple[int, ...], outputs: int, input_quantization: Quantization | None) -> Graph:
    """A graph of an input and an output alone; shares of 1/256 from -128 on."""
    tensors = (
        Tensor(0, "features", shape, "int8", input_quantization),
        Tensor(1, "shares", (1, outputs), "int8", Quantization((1 / 256,), (-128,))),
    )
    return Graph("model", "0" * 64, tensors, (), (0,), (1,))


def hashed(frames: Sequence[Sequence[int]], labels: int) -> list[int]:
    """The scores of fake_model.c for these frames, oldest first."""
    value = 2166136261
    for frame in frames:
        for byte in frame:
            value = ((value ^ (byte & 0xFF)) * 16777619) % 2**32
    scores = []
    for _ in range(labels):
        scores.append((value >> 24) - 256 * (value >> 31))
        value = (value * 16777619 + 1) % 2**32
    return scores


class FakeModel:
    """The fake model of a loaded library."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._calls = ctypes.c_size_t.in_dll(self._library, "fake_calls")

    def calls(self) -> str:
        """What it was asked since the last call of this."""
        log = (ctypes.c_char * 65536).in_dll(self._library, "fake_log").raw
        reported = log[: self._calls.value].decode()
        self._calls.value = 0
        return reported

    def fail(self, run: int = 0, start: int = 0) -> None:
        """What run and start return from now on."""
        ctypes.c_int.in_dll(self._library, "fake_error").value = run
        ctypes.c_int.in_dll(self._library, "fake_start_error").value = start


def tables(source: str) -> dict[str, list[int]]:
    """Name -> numbers of every const array in generated C."""
    found = {}
    for name, body in re.findall(r"static const [\w() ]+ app_(\w+)\[\d+\] = \{(.*?)\n\};", source, re.DOTALL):
        plain = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        found[name] = [int(number) for number in re.findall(r"-?\d+", plain)]
    return found
