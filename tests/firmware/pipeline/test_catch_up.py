# SPDX-License-Identifier: Apache-2.0
"""After a gap of any length the scores are the cascade's, for at most the cost of one full inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Layout
from codegen.incremental import Incremental
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_branches import networks
from tests.codegen.incremental.test_incremental import LAYOUTS, expected, logits, stream
from tests.models.networks import tutorial_like
from tests.support.streams_c import App, CascadesC, Int8s, modes_of, plan_of

Script = list[tuple[str, Int8s | None]]


def gaps(app: App) -> range:
    """Frames between two decisions."""
    return range(app.frames + 4)


def all_gaps(app: App, frames: Int8s) -> tuple[Script, list[int]]:
    """A decision after every gap, a full run in between; and the windows that come out."""
    script: Script = [("n", frame) for frame in frames[: app.frames]]
    newest, windows = app.frames - 1, []
    for gap in gaps(app):
        script += [
            ("d", None),
            *(("n", frame) for frame in frames[newest + 1 : newest + 1 + gap]),
            ("d", None),
        ]
        windows += [newest, newest + gap]
        newest += gap
        script += [("z", None), *(("n", frame) for frame in frames[newest - app.frames + 1 : newest + 1])]
    return script, [window - app.frames + 1 for window in windows]


def check(apps: list[App], target: str) -> list[tuple[list[int], int]]:
    """Compares every score; of each model the instructions after each gap, and of a full run."""
    streams = [stream(sum(gaps(app)) + app.frames, app.cepstra, at) for at, app in enumerate(apps)]
    scripts = [all_gaps(app, frames) for app, frames in zip(apps, streams, strict=True)]
    found = []
    made = CascadesC(apps, target=target).decide([script for script, _ in scripts])
    for app, frames, (_, windows), (scores, counts) in zip(apps, streams, scripts, made, strict=True):
        np.testing.assert_array_equal(scores, expected(app, frames)[windows], err_msg=app.model.name)
        found.append((counts[1::2].tolist(), int(counts[0::2].max())))
    return found


def apps_of(folder: Path) -> list[App]:
    """The tutorial's network in all layouts, and networks of all kinds."""
    apps = []
    for layout in LAYOUTS:
        shape = (15, 20) if layout is Layout.FRAMES_BY_CEPSTRA else (20, 15)
        apps.append(App(logits(folder / f"{layout.value}.tflite", 5, shape), 15, 20, layout))
    return [*apps, *networks(range(200, 207), folder)]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_every_gap(tmp_path: Path, target: str) -> None:
    """From none to more frames than the cascade holds; counted in instructions where they can be."""
    apps = apps_of(tmp_path)
    for app, (after, full) in zip(apps, check(apps, target), strict=True):
        if target == "qemu":
            assert after[1] < full, app.model.name
            assert max(after) <= 1.02 * full, (app.model.name, after, full)


def test_catching_up_multiplies_no_more_than_a_full_run(tmp_path: Path) -> None:
    """By multiplications alone, for many networks; the planner weighs what else a step takes, too."""
    for app in [*apps_of(tmp_path), *networks(range(400, 430), tmp_path)]:
        modes = modes_of(app)
        after = sum(layer.macs for layer in modes.layers if not layer.incremental)
        once, full = modes.macs - after, modes.full_macs - after
        assert 1 <= modes.catch_up <= app.frames
        assert (modes.catch_up - 1) * once <= full, app.model.name


# --- what the tutorial's network may take ---

LIMITS = {  # instructions of a decision, of a full inference; constants in terms of the model's file
    (Layout.FRAMES_BY_CEPSTRA, "small"): (66_000, 480_000, 1.3),
    (Layout.FRAMES_BY_CEPSTRA, "fast"): (55_000, 480_000, 1.9),
    (Layout.CEPSTRA_BY_FRAMES, "small"): (66_000, 490_000, 1.3),
    (Layout.CEPSTRA_BY_FRAMES, "fast"): (55_000, 490_000, 1.9),
    (Layout.SCRAMBLED, "small"): (72_000, 620_000, 1.3),
    (Layout.SCRAMBLED, "fast"): (72_000, 620_000, 1.9),
}


def test_the_tutorials_network_keeps_its_budget(tmp_path: Path) -> None:
    """Instructions of the whole classifier on a Cortex-M4, constants against the model's file, and memory."""
    for (layout, kernels), (decision, whole, constants) in LIMITS.items():
        shape = (15, 20) if layout is Layout.FRAMES_BY_CEPSTRA else (20, 15)
        path = tutorial_like(tmp_path / f"{layout.value}{kernels}.tflite", 7, shape=shape)
        app = App(path, 15, 20, layout, kernels)
        # A program each, as an image has one model: kernels that serve several are compiled otherwise.
        ((after, full),) = check([app], "qemu")
        assert after[1] <= decision, app
        assert full <= whole, app
        graph = load_graph(app.model)
        planned = plan_of(app, graph)
        assert isinstance(planned, Incremental)
        layers = [*(task.layer for task in planned.schedule if task.computes), *planned.rest.program.layers]
        nbytes = sum(array.nbytes for layer in layers for array in layer.arrays)
        assert nbytes <= constants * app.model.stat().st_size, app
        if app.layout is not Layout.SCRAMBLED:
            assert planned.state_bytes + planned.arena <= 6 * 1024
