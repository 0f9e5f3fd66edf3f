# SPDX-License-Identifier: Apache-2.0
"""Branches that rejoin, and layers that cannot keep their rows: every window's bits are the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.app.spec import Layout
from codegen.incremental import Edges, Incremental
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_incremental import compare, script, stream
from tests.models.branches import Branches
from tests.support.exact import BATCHES
from tests.support.streams_c import App, Int8s, StreamsC, modes_of, plan_of

JOINS = ("ADD", "SUB", "MUL", "MAXIMUM", "CONCATENATION")


def network(seed: int, folder: Path) -> tuple[App, list[str]]:
    """A random network, in a layout that knows branches; every other one with layers that cannot be kept."""
    layout = (Layout.FRAMES_BY_CEPSTRA, Layout.CEPSTRA_BY_FRAMES)[seed % 2]
    frames, cepstra = 9 + seed % 8, 5 + seed % 11
    turned = layout is Layout.CEPSTRA_BY_FRAMES
    made = Branches(seed, frames, cepstra, turned=turned, broken=seed // 2 % 2 == 1)
    path = made.network(folder / f"branches{seed}.tflite")
    return App(path, frames, cepstra, layout, ("small", "fast")[seed // 4 % 2]), made.made


def networks(seeds: Sequence[int], folder: Path) -> list[App]:
    """Those of the random networks that have a layer to keep; nearly all do."""
    apps = [network(seed, folder)[0] for seed in dict.fromkeys(seeds)]
    streamed = [app for app in apps if not isinstance(plan_of(app, load_graph(app.model)), str)]
    assert len(streamed) > 0.8 * len(apps)
    return streamed


@BATCHES
@given(st.lists(st.integers(0, 1 << 30), min_size=14, max_size=14, unique=True))
def test_random_branches(tmp_path_factory: pytest.TempPathFactory, seeds: list[int]) -> None:
    """Any operators of the planner's, reach and delay, in both layouts and both forms of kernels."""
    assert compare(networks(seeds, tmp_path_factory.mktemp("branches"))) > 300


def test_random_branches_on_the_emulated_core(tmp_path: Path) -> None:
    """A sample through the kernels of the DSP extension."""
    assert compare(networks(range(700, 720), tmp_path), target="qemu", windows=25) > 200


def test_the_random_networks_hold_every_case(tmp_path: Path) -> None:
    """What the two tests above are worth: every join, delays, both modes of every kind of layer."""
    kinds: dict[str, set[bool]] = {}
    words = ""
    for seed in range(80):
        app, made = network(seed, tmp_path)
        words += " ".join(made)
        for layer in modes_of(app).layers:
            kinds.setdefault(layer.op, set()).add(layer.incremental)
    assert all(word in words for word in (*JOINS, "crop 0 of", "crop 1 of", "MUL, ADD"))
    both = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", *JOINS)
    assert {op for op in both if kinds[op] != {True, False}} == set()


# --- a residual block, counted by hand ---


def residual(folder: Path, *, delayed: bool) -> App:
    """12 frames of 6: a convolution; its older or newer rows added to another convolution of it; dense."""
    made = Branches(3, 12, 6)
    made.random = np.random.default_rng(3)
    first = made.conv(made.newest, depthwise=0, along=1, dilation=1)
    second = made.narrow(made.conv(first, depthwise=0, along=3, dilation=1), 1, 4)
    start = 0 if delayed else first.rows - second.rows
    size = made.constant(np.array([1, second.rows, first.columns, first.depth], np.int32))
    begin = made.constant(np.array([0, start, 0, 0], np.int32))
    cut = made.picture(first, rows=second.rows)
    made.operator("SLICE", [first.index, begin, size], [cut.index], {})
    same = made.narrow(cut, 1, 4)
    summed = made.picture(second, scale=second.scale + same.scale, zero_point=2)
    made.operator("ADD", [second.index, same.index], [summed.index], {"fusedActivationFunction": 0})
    path = made.write(folder / f"residual{delayed}.tflite", [made.input], [made.end_dense(summed)])
    return App(path, 12, 6, Layout.FRAMES_BY_CEPSTRA)


@pytest.mark.parametrize("delayed", [False, True])
def test_a_residual_block_needs_no_more_than_its_rows(tmp_path: Path, delayed: bool) -> None:
    """The branch with less reach keeps the rows until they meet those of the same time."""
    app = residual(tmp_path, delayed=delayed)
    modes = modes_of(app)
    assert {layer.op for layer in modes.layers if not layer.incremental} == {"FULLY_CONNECTED"}
    sums = [layer for layer in modes.layers if layer.op == "ADD"]
    assert [layer.full_macs for layer in sums] == [0]
    dense = next(layer for layer in modes.layers if layer.op == "FULLY_CONNECTED")
    assert modes.full_macs - dense.macs <= 12 * (modes.macs - dense.macs)
    assert compare([app]) > 50


# --- what is kept is what counts ---


def rounds(app: App, frames: Int8s, planned: Incremental | Edges) -> list[tuple[str, Int8s | None]]:
    """As many times as memory is kept, and once before: runs, an advance, poison, then every decision."""
    steps: list[tuple[str, Int8s | None]] = []
    first = app.frames - 1 + planned.phases
    for number in range(-1, len(planned.state_names)):
        steps += [("r", app.tensor(frames, newest)) for newest in range(app.frames - 1, first)]
        steps.append(("a", frames[first]))
        if number >= 0:
            steps.append(("p", np.array([number], np.int8)))
        for newest in range(first + 1, len(frames)):
            steps += [("a", frames[newest]), ("f", None)]
    return steps


def test_poisoned_memory_changes_the_scores_until_it_has_left(tmp_path: Path) -> None:
    """Each stream, each row buffer and each history of several networks: none is there for nothing."""
    apps = networks(range(40, 58), tmp_path)
    plans = [plan_of(app, load_graph(app.model)) for app in apps]
    found = [planned for planned in plans if not isinstance(planned, str)]
    streams = [stream(2 * app.frames + 12, app.cepstra, at) for at, app in enumerate(apps)]
    scripts = [rounds(*each) for each in zip(apps, streams, found, strict=True)]
    seen, unseen = 0, []
    for app, planned, outputs in zip(apps, found, StreamsC(apps).run(scripts), strict=True):
        count = len(planned.state_names)
        right, *wrong = outputs.reshape(count + 1, -1, outputs.shape[1])
        for number, scores in enumerate(wrong):
            changed = (scores != right).any(axis=1)
            assert not changed[app.frames + planned.phases - 1 :].any(), (app.model.name, number)
            seen += changed.any()
            if not changed.any() and len(np.unique(right)) > 20:
                unseen.append((app.model.name, number))
    assert seen > 35
    assert unseen == []


def test_a_reset_forgets_nothing_that_a_run_needs(tmp_path: Path) -> None:
    """After a reset a full run primes what is kept, whatever was there."""
    apps = networks(range(300, 307), tmp_path)
    streams = [stream(app.frames + 12, app.cepstra, at) for at, app in enumerate(apps)]
    scripts, again = [], []
    for app, frames in zip(apps, streams, strict=True):
        steps, _ = script(app, frames, 1)
        scripts.append(steps)
        kept = plan_of(app, load_graph(app.model))
        assert not isinstance(kept, str)
        padded = {state.name for state in kept.states if getattr(state, "padded", 0)}
        poison: list[tuple[str, Int8s | None]] = [
            ("p", np.array([at], np.int8)) for at, name in enumerate(kept.state_names) if name not in padded
        ]
        again.append([*steps[: len(steps) // 2], *poison, ("z", None), *steps])
    for once, twice in zip(StreamsC(apps).run(scripts), StreamsC(apps).run(again), strict=True):
        np.testing.assert_array_equal(once, twice[-len(once) :])
