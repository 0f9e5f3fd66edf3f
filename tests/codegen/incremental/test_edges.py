# SPDX-License-Identifier: Apache-2.0
"""Models that pad, stride or pool along time: incremental inference is the reference's, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Layout
from codegen.incremental import Edges, mode_plan
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_incremental import expected, stream
from tests.support.shared import shared
from tests.support.streams_c import App, Int8s, StreamsC, plan_of


def script(app: App, frames: Int8s, seed: int) -> tuple[list[tuple[str, Int8s | None]], list[int]]:
    """Full runs until all phases are there, then steps, gaps and full runs; and the windows decided."""
    random = np.random.default_rng(seed)
    planned = plan_of(app, load_graph(app.model))
    assert isinstance(planned, Edges), planned
    steps: list[tuple[str, Int8s | None]] = []
    windows = []
    newest, runs = app.frames - 1, planned.phases
    while newest < len(frames):
        if runs:
            steps.append(("r", app.tensor(frames, newest)))
            windows.append(newest - app.frames + 1)
            runs -= 1
        if newest + app.every >= len(frames):
            break
        if not runs:
            kind = random.choice(["decide", "decide", "decide", "decide", "gap", "full"])
            if kind == "full":
                newest += app.every
                runs = 1 if random.integers(2) else planned.phases
                newest += int(random.integers(0, 9)) if runs == planned.phases else 0
                continue
            steps += [("a", frames[newest + at]) for at in range(1, app.every + 1)]
            if kind == "decide":
                steps.append(("f", None))
                windows.append(newest + app.every - app.frames + 1)
        newest += app.every
    return steps, windows


def compare(apps: list[App], *, target: str = "pc", windows: int = 60, seed: int = 0) -> int:
    """Asserts that every score is the reference's; the number of different outputs seen."""
    streams = [stream(app.frames + windows, app.cepstra, seed + at) for at, app in enumerate(apps)]
    scripts = [
        script(app, frames, seed + at) for at, (app, frames) in enumerate(zip(apps, streams, strict=True))
    ]
    found = StreamsC(apps, target=target).run([steps for steps, _ in scripts])
    distinct = 0
    for app, frames, (_, order), outputs in zip(apps, streams, scripts, found, strict=True):
        np.testing.assert_array_equal(outputs, expected(app, frames)[order], err_msg=app.model.name)
        distinct += len(np.unique(outputs))
    return distinct


def kws(every: int = 1) -> App:
    """MLPerf Tiny's keyword network: every layer pads."""
    path = shared("models/mlperf_tiny/kws_ref_model.tflite")
    return App(path, 49, 10, Layout.FRAMES_BY_CEPSTRA, every=every)


def test_keyword_network(tmp_path: Path) -> None:
    """Counted by hand: rows of each layer near the ends of the window, of 25."""
    app = kws()
    modes = mode_plan(app.spec("m"), load_graph(app.model))
    rows = (6, 8, 8, 10, 10, 12, 12, 14, 14)
    each = (12800, 2880, 20480, 2880, 20480, 2880, 20480, 2880, 20480)
    assert [layer.macs for layer in modes.layers[:9]] == [n * m for n, m in zip(rows, each, strict=True)]
    assert modes.state == 490 + 2 * 320 * (19 + 17 + 15 + 13 + 11)
    assert compare([app]) > 20
