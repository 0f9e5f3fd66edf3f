# SPDX-License-Identifier: Apache-2.0
"""What an image for MLPerf Tiny knows of its task: how inputs come, and what the model's levels stand for.

The serial interface and each task's inputs are those of the benchmark's runner (mlcommons/tiny,
benchmark/runner and benchmark/evaluation/datasets).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.app.spec import Spec
from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.common.render import render
from codegen.model.graph import Graph, Tensor
from codegen.ops.rescale import thresholds

PROFILE = "ULPMark for tinyML Firmware V0.0.1"  # the version of the interface, as the benchmark names it
# Characters of a command, with what ends it: `db` with 31 bytes has 65, with 512 bytes of sound 1027.
COMMAND_SIZE, STREAMS_COMMAND_SIZE = 80, 1032
MOST_FLOATS, MOST_VALUE = 1024, 8191 << 16  # firmware/mlperf/distance.h


@dataclass(frozen=True)
class Task:
    """One of the benchmark's.

    model: by which the runner chooses its test
    pixels: the dataset's bytes are unsigned, and lie 128 above the model's
    floats: the dataset's values are binary32, and the result is the output's distance from them
    inputs: values of the reference model's input
    streams: the dataset is sound, for an app's pipeline
    shares: the model of the task whose stimuli it takes, where it has none of its own
    """

    name: str
    title: str
    model: str
    inputs: int
    pixels: bool = False
    floats: bool = False
    streams: bool = False
    shares: str | None = None

    @property
    def dataset(self) -> str:
        """The folder of its stimuli, as the runner names it."""
        return self.shares or self.model


@dataclass(frozen=True)
class Energy:
    """What the energy mode of a task needs.

    pins: as board.toml names them, after `mlperf_`
    baud: of the serial line; None: the board's own
    """

    pins: tuple[str, ...]
    baud: int | None


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("kws", "Keyword spotting", "kws01", 49 * 10),
        Task("ad", "Anomaly detection", "ad01", 5 * 128, floats=True),
        Task("ic", "Image classification", "ic01", 32 * 32 * 3, pixels=True),
        Task("ic2", "Image classification, larger", "ic02", 32 * 32 * 3, pixels=True, shares="ic01"),
        Task("vww", "Visual wake words", "vww01", 96 * 96 * 3, pixels=True),
        Task("sww", "Streaming wake word", "sww01", 30 * 40, streams=True),
    )
}


def energy_of(task: Task) -> Energy:
    """As the benchmark's reference images and lists of devices have it: 9600 baud; in the streaming task
    115200, and two pins more, which the interface board reads."""
    if task.streams:
        return Energy(("timestamp", "processing", "detected"), None)
    return Energy(("timestamp",), 9600)


def check_energy(name: str, board: Board) -> None:
    """UserError where the board lacks what the energy mode of the task of this name needs."""
    if board.hosted:
        raise UserError(
            "the energy mode of MLPerf Tiny tells times by a pin, and this computer has none",
            file=board.file,
            remedy="Build it for another board.",
        )
    known = {pin for pin, _ in board.pins}
    needed = [f"mlperf_{pin}" for pin in energy_of(TASKS[name]).pins]
    missing = [pin for pin in needed if pin not in known]
    if missing:
        raise UserError(
            f"[pins] lacks {missing[0]}, by which the energy mode of MLPerf Tiny's task {name} tells times",
            file=board.file,
            remedy=f"Give each of these a free pin, here or in a board that inherits: {', '.join(needed)}.",
        )


def mlperf_source(name: str, graph: Graph, spec: Spec, *, energy: bool = False) -> dict[str, str]:
    """mlperf.c for the task of this name. energy: its timestamps are edges of a pin, not text.

    UserError where the model or its app is not of its kind.
    """
    task, file, pipeline = TASKS[name], spec.classifier.model, spec.pipeline
    _check(task, graph, file)
    if task.streams and pipeline is None:
        raise UserError(
            f"is a model alone; the task {task.name} of MLPerf Tiny needs an app that hears",
            file=file,
            remedy="`scons board=... app=DIR mlperf=sww` builds an app; docs/mlperf.md has one.",
        )
    if task.streams and pipeline is not None and pipeline.window.stride > pipeline.window.size:
        raise UserError(
            f"its stride of {pipeline.window.stride} samples leaves gaps between windows of "
            f"{pipeline.window.size}; the task {task.name} hears all sound",
            file=spec.file,
            place="[window] stride",
            remedy="The task has windows of 1024 samples every 512.",
        )
    if task.streams and pipeline is not None and not (pipeline.cascade.slide and pipeline.cascade.every == 1):
        raise UserError(
            f"it does not decide at every window; the task {task.name} asks for scores at each",
            file=spec.file,
            place="[cascade] slide" if not pipeline.cascade.slide else "[cascade] every",
            remedy="Write slide = true and every = 1.",
        )
    unit = 1 << 16 if task.floats else 1000
    text = render(
        "mlperf.c.in",
        task=task,
        profile=PROFILE,
        command_size=STREAMS_COMMAND_SIZE if task.streams else COMMAND_SIZE,
        size=2 * pipeline.window.stride if pipeline and task.streams else received_bytes(task, graph),
        levels=thresholds(graph.input) if task.floats else None,
        values=values(graph.output, unit),
        outputs=graph.output.size,
        energy=energy_of(task) if energy else None,
    )
    return {"mlperf.c": text}


def received_bytes(task: Task, graph: Graph) -> int:
    """Of an input as the runner sends it."""
    return graph.input.size * (4 if task.floats else 1)


def values(output: Tensor, unit: int) -> list[int]:
    """What each level of an int8 tensor stands for, the lowest first: float32, as the reference computes it,
    in parts of a unit and rounded to the nearest, halves to the even one, as C's printf does; within
    what the C takes."""
    quantization = output.quantization
    assert quantization is not None
    levels = np.arange(-128, 128) - quantization.zero_point
    floats = levels.astype(np.float32) * np.float32(quantization.scale)
    most = MOST_VALUE if unit == 1 << 16 else 2**31 - 1
    return [min(max(round(float(value) * unit), -most), most) for value in floats]


def _check(task: Task, graph: Graph, file: Path) -> None:
    if not graph.one_ended:
        raise UserError(
            f"it has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; MLPerf Tiny's runner knows "
            "one of each",
            file=file,
            remedy="Give a model with one input and one output.",
        )
    for tensor, what in ((graph.input, "input"), (graph.output, "output")):
        known = tensor.quantization is not None and len(tensor.quantization.scales) == 1
        if tensor.dtype != "int8" or not known:
            kind = tensor.dtype if known else f"{tensor.dtype} without one scale"
            raise UserError(
                f"its {what} is {kind}; the task {task.name} of MLPerf Tiny takes int8 models",
                file=file,
                remedy="Convert it with int8 inputs and outputs.",
            )
    if task.floats and (graph.input.size != graph.output.size or graph.input.size > MOST_FLOATS):
        raise UserError(
            f"it has {graph.input.size} inputs and {graph.output.size} outputs; the task {task.name} "
            f"compares them one by one, {MOST_FLOATS} at most",
            file=file,
            remedy="Give an autoencoder.",
        )
