# SPDX-License-Identifier: Apache-2.0
"""The path of training and that of the device: every stage of random pipelines, value by value.

The device is an image that is played a sound with `stages on`; training is the library's two halves. Each has
the order of the stages from pipeline.c, and both must give the same whatever the windows overlap.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Audio, Cascade, Gate, Layout, Mfcc, Scale, Window
from codegen.common.paths import ROOT
from tests.support.apps import App
from tests.support.doors import open_image
from tests.support.exact import EXAMPLES
from tests.support.images import build_image, hashing_app
from workbench.host.features import extract
from workbench.host.host_library import HostLibrary

STRIDES = ("one sample", "below the window", "one sample below it", "the window", "one above it", "far above")
WINDOWS = 60
STAGES = ("cepstra", "gate", "features", "frame", "input", "scores")


def random_app(random: np.random.Generator, stride: str, dc_block: int) -> App:
    """Any settings that a pipeline.toml may have, with votes of one: a decision then has no memory."""
    fft = int(random.choice([128, 256, 512]))
    size = int(random.integers(fft // 4, fft + 1))
    below, above = int(random.integers(1, size)), int(random.integers(size + 2, 4 * size))
    strides = dict(zip(STRIDES, (1, below, size - 1, size, size + 1, above), strict=True))
    filters = int(random.integers(2, 24))
    rate = int(random.choice([8000, 16000]))
    return App(
        audio=Audio(rate, dc_block=dc_block),
        window=Window(size, strides[stride]),
        gate=Gate(int(random.integers(1500, 5000)), int(random.integers(0, 6)), int(random.integers(0, 3))),
        mfcc=Mfcc(cepstra=int(random.integers(1, filters + 1)), filters=filters, fft=fft, high_hz=rate / 2),
        scale=Scale(-int(random.integers(1, 500_000)), int(random.integers(1, 500_000))),
        cascade=Cascade(int(random.integers(1, 9))),
        labels=("one", "two", "three"),
        threshold=Fraction(1, 2),
        layout=Layout(random.choice([layout.value for layout in Layout])),
    )


def sound_for(app: App, random: np.random.Generator) -> NDArray[np.int16]:
    """WINDOWS windows and a piece, loud and quiet by turns, above a level that a microphone may add."""
    window = app.window
    count = window.size + (WINDOWS - 1) * window.stride + int(random.integers(0, window.stride))
    piece = 2 * max(window.size, window.stride)
    loud = np.resize(random.permutation([60, 60, 100, 9000]), -(-count // piece)).repeat(piece)[:count]
    if 4 * window.stride < window.size:  # every window would hold a loud piece
        loud = np.where(np.arange(count) < window.size + WINDOWS // 2 * window.stride, 60, 9000)
    return (700 + random.normal(0, 1, count) * loud).clip(-32768, 32767).astype(np.int16)


def played(
    image: Path, sound: NDArray[np.int16]
) -> tuple[dict[str, dict[int, list[int]]], dict[int, tuple[int, int]]]:
    """What the device says of each stage of each window, and what it decides."""
    stages: dict[str, dict[int, list[int]]] = {stage: {} for stage in STAGES}
    decisions = {}
    with open_image("pc", image) as device:
        device.command("stages on")
        for text in device.replay(sound):
            line = json.loads(text)
            if "stage" in line:
                stages[line["stage"]][line["sequence"]] = line["values"]
            else:
                decisions[line["Sequence"]] = (line["Classification"], line["Score"])
    return stages, decisions


@pytest.mark.parametrize(("stride", "dc_block"), list(zip(STRIDES, (0, 5, 0, 0, 0, 5), strict=True)))
def test_training_sees_what_the_device_sees(tmp_path: Path, stride: str, dc_block: int) -> None:
    for seed in range(EXAMPLES or 1):
        random = np.random.default_rng([seed, dc_block, STRIDES.index(stride)])
        app = random_app(random, stride, dc_block)
        sound = sound_for(app, random)
        folder = tmp_path / f"app{seed}"
        folder.mkdir()
        pipeline = HostLibrary(app.build(folder, incremental=True, catch_up=3), app.spec).pipeline
        assert pipeline is not None
        stages, decisions = played(
            build_image(folder, hashing_app(folder, app, incremental=True), "pc"), sound
        )

        trained = extract(pipeline, sound)
        windows = range(WINDOWS)
        assert [stages["cepstra"][index] for index in windows] == trained.values.tolist()
        assert [stages["gate"][index] == [1] for index in windows] == trained.gate.tolist()
        assert [stages["features"][index] for index in windows] == trained.scaled.tolist()
        held = app.cascade.frames
        decided = [index for index in windows if trained.gate[index] and index >= held - 1]
        assert list(decisions) == list(stages["input"]) == list(stages["scores"]) == decided
        assert 0 < len(decided) < WINDOWS - held + 1, "the gate had no choice"
        for index in decided:
            vector = trained.vectors[index - held + 1].reshape(held, -1).astype(int) - 128
            picture = vector.T if app.layout is Layout.CEPSTRA_BY_FRAMES else vector
            assert stages["input"][index] == picture.reshape(-1).tolist()
        classified = pipeline.classify(trained.scaled)
        assert [decisions[index] for index in decided] == [classified[index - held + 1] for index in decided]


def test_the_order_of_the_stages_stands_once() -> None:
    """Nothing but pipeline.c calls one stage after another, neither an image nor the workbench."""
    stages = {
        "window_next": "window",
        "gate_step": "gate",
        "mfcc_frame": "mfcc",
        "scale_frame": "scale",
        "classifier_frame": "classifier",
        "cascade_push": "cascade",
        "classifier_run": "classifier",
        "decision_step": "decision",
    }
    folders = ("firmware", "templates", "codegen", "toolbox", "workbench", "site_scons")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*") if file.is_file()]
    for call, own in stages.items():
        found = {
            file.relative_to(ROOT).as_posix()
            for file in files
            if file.suffix in (".c", ".cc", ".h", ".in", ".py")
            and re.search(rf"\b{call}\((?!\))", file.read_text())
        }
        by_pointer = call in ("mfcc_frame", "scale_frame")  # of one of the front ends
        calls = [] if by_pointer else ["pipeline.c"]
        alone: set[str] = {  # peaks; another rounding; silence first
            "window_next": {"workbench/host/host_library.py"},
            "cascade_push": {"firmware/mlperf/stream.c"},
            "scale_frame": {"firmware/pipeline/scale_zero.c"},
        }.get(call, set())
        assert found == {f"firmware/pipeline/{name}" for name in (*calls, f"{own}.c", f"{own}.h")} | alone
