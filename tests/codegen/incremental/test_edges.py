# SPDX-License-Identifier: Apache-2.0
"""Models that pad, stride or pool along time: incremental inference is the reference's, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Layout
from codegen.incremental import Edges, Incremental
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_branches import rounds
from tests.codegen.incremental.test_incremental import compare, logits, stream
from tests.models.branches import Branches, Picture
from tests.models.builder import PADDINGS
from tests.support.shared import shared
from tests.support.streams_c import App, StreamsC, modes_of, plan_of


def kws() -> App:
    """MLPerf Tiny's keyword network: every layer pads."""
    path = shared("models/mlperf_tiny/kws_ref_model.tflite")
    return App(path, 49, 10, Layout.FRAMES_BY_CEPSTRA)


def test_the_keyword_network() -> None:
    """Counted by hand: rows of each layer near the ends of the window, of 25; rows between are kept."""
    app = kws()
    modes = modes_of(app)
    rows = (6, 8, 8, 10, 10, 12, 12, 14, 14)
    each = (12800, 2880, 20480, 2880, 20480, 2880, 20480, 2880, 20480)
    assert [layer.macs for layer in modes.layers[:9]] == [n * m for n, m in zip(rows, each, strict=True)]
    assert modes.layers[0].reason == "rows 0 .. 1 and 21 .. 24 of 25"
    assert modes.state == 490 + 2 * 320 * (19 + 17 + 15 + 13 + 11)
    assert compare([app], windows=50) > 20
    every_second = modes_of(replace(app, every=2))  # the stride of two: no second set of rows is kept
    assert every_second.macs == modes.macs
    assert every_second.state == 490 + 320 * (19 + 17 + 15 + 13 + 11)


def test_less_memory_keeps_less() -> None:
    """The last layers are computed in full first; with none nothing is kept, and the plan says why."""
    graph, taken = load_graph(kws().model), []
    for limit in (65536, 45000, 35000, 25000):
        modes = modes_of(replace(kws(), memory=limit), graph)
        assert modes.state <= limit
        assert [layer.incremental for layer in modes.layers] == sorted(
            (layer.incremental for layer in modes.layers), reverse=True
        )
        taken.append(modes.macs)
    assert taken == sorted(set(taken))
    modes = modes_of(replace(kws(), memory=0), graph)
    assert modes.macs == modes.full_macs
    assert "[cascade] memory allows 0" in modes.reason
    assert compare([replace(kws(), memory=25000)], windows=12) > 5


class Padded(Branches):
    """Networks whose layers pad, stride and pool along time, with residual branches."""

    def pooled(self, source: Picture, op: str, along: int, stride: int, *, same: bool) -> Picture:
        """A pool along time."""
        count = -(-source.rows // stride) if same else (source.rows - along) // stride + 1
        made = self.picture(source, rows=count)
        options = {"padding": PADDINGS["same" if same else "valid"], "strideH": stride, "strideW": 1}
        options |= {"filterHeight": along, "filterWidth": 1, "fusedActivationFunction": 0}
        self.operator(op, [source.index], [made.index], options)
        return made

    def layer(self, source: Picture) -> Picture:
        """Any layer."""
        random = self.random
        kind = random.integers(8)
        if kind < 2:
            op = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[kind]
            along, stride = int(random.integers(2, 4)), int(random.integers(1, 3))
            return self.pooled(source, op, along, stride, same=bool(random.integers(2)))
        if kind == 2:
            return self.function(source)
        if kind == 3:
            return self.normalise(source)
        along, stride = int(random.integers(1, 5)), int(random.choice([1, 1, 1, 2]))
        return self.conv(source, along=along, stride=stride, same=int(random.integers(4) > 0), dilation=1)

    def padded(self) -> Picture:
        """A chain with some branches that rejoin."""
        source = self.newest
        for _ in range(int(self.random.integers(2, 6))):
            made = self.layer(source)
            if made.rows < 4:
                break
            source = self.join(source, made) if made.rows == source.rows and self.random.integers(2) else made
        return source


def padded(seed: int, folder: Path) -> App:
    """A random network of 24 to 39 frames."""
    frames, cepstra = 24 + seed % 16, 3 + seed % 7
    made = Padded(seed, frames, cepstra)
    path = made.write(folder / f"padded{seed}.tflite", [made.input], [made.end_dense(made.padded())])
    return App(path, frames, cepstra, Layout.FRAMES_BY_CEPSTRA, ("small", "fast")[seed % 2])


def networks(seeds: range, folder: Path) -> list[App]:
    """Those of the random networks of which rows near the ends are computed."""
    apps = [padded(seed, folder) for seed in seeds]
    return [app for app in apps if isinstance(plan_of(app, load_graph(app.model)), Edges)]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_random_networks(tmp_path: Path, target: str) -> None:
    """Padding, strides, pools and branches, over hundreds of windows with gaps and full runs."""
    apps = networks(range(16) if target == "pc" else range(16, 24), tmp_path)
    assert len(apps) > (9 if target == "pc" else 4)
    plans = [plan_of(app, load_graph(app.model)) for app in apps]
    assert {plan.phases for plan in plans if isinstance(plan, Edges)} >= {1, 2}
    assert compare(apps, target=target, windows=60 if target == "pc" else 16) > 10 * len(apps)


def test_several_frames_a_decision(tmp_path: Path) -> None:
    """The same networks, and a chain that is computed row by row; from some hop on nothing is gained."""
    apps = [replace(app, every=2 + at % 3) for at, app in enumerate(networks(range(16), tmp_path))]
    apps = [app for app in apps if isinstance(plan_of(app, load_graph(app.model)), Edges)]
    assert {app.every for app in apps} == {2, 3, 4}
    chain = logits(tmp_path / "chain.tflite", 3, (16, 9))
    apps += [App(chain, 16, 9, Layout.FRAMES_BY_CEPSTRA, every=every) for every in (2, 3)]
    assert isinstance(plan_of(apps[-1], load_graph(chain)), Incremental)
    assert compare(apps, windows=40) > 10 * len(apps)
    plan = plan_of(replace(apps[-1], every=16), load_graph(chain))
    assert isinstance(plan, str)
    assert "the 16 new frames of a decision" in plan


def test_poisoned_rows_change_the_scores_until_they_have_left(tmp_path: Path) -> None:
    poisoned(networks(range(200, 206), tmp_path))


def poisoned(apps: list[App]) -> None:
    """All that is kept is read: each piece of memory."""
    plans = [plan_of(app, load_graph(app.model)) for app in apps]
    found = [plan for plan in plans if not isinstance(plan, (str, Incremental))]
    streams = [stream(2 * app.frames + 12, app.cepstra, at) for at, app in enumerate(apps)]
    scripts = [rounds(*each) for each in zip(apps, streams, found, strict=True)]
    unseen = 0
    for app, plan, outputs in zip(apps, found, StreamsC(apps).run(scripts), strict=True):
        right, *wrong = outputs.reshape(len(plan.state_names) + 1, -1, outputs.shape[1])
        for scores in wrong:
            changed = (scores != right).any(axis=1)
            assert not changed[app.frames + plan.phases + 1 :].any(), app.model.name
            unseen += not changed.any() and len(np.unique(right)) > 20
    assert unseen == 0
