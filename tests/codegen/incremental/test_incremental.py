# SPDX-License-Identifier: Apache-2.0
"""Incremental inference is the reference interpreter's, bit for bit, on every window of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.app.spec import Layout
from codegen.incremental import Incremental
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS
from tests.models.networks import Network, tutorial_like
from tests.support.exact import BATCHES, Batch, batches
from tests.support.streams_c import App, Int8s, StreamsC, plan_of
from workbench.verify.reference import ReferenceInterpreter

LAYOUTS = list(Layout)
WINDOWS = 40  # consecutive decisions of a random network


@dataclass(frozen=True)
class Convolution:
    """depth, kernel along time and across, stride and dilation across, dilation along time."""

    depth: int
    kernel: tuple[int, int]
    stride: int = 1
    dilation: tuple[int, int] = (1, 1)
    padding: str = "valid"
    activation: str = "relu"
    batch_norm: bool = False
    per_channel: bool = True


@dataclass(frozen=True)
class Chain:
    """Convolutions over [frames, cepstra], then dense layers or nothing that is incremental."""

    frames: int
    cepstra: int
    layout: Layout
    convolutions: tuple[Convolution, ...]
    dense: tuple[int, ...]
    kernels: str
    seed: int

    def write(self, folder: Path) -> App:
        """The model's file."""
        turned = self.layout is not Layout.FRAMES_BY_CEPSTRA
        shape = (1, self.cepstra, self.frames, 1) if turned else (1, self.frames, self.cepstra, 1)
        network = Network(self.seed, shape, 0.05, int(np.random.default_rng(self.seed).integers(-128, 128)))
        for convolution in self.convolutions:
            _add(network, convolution, self.layout is Layout.CEPSTRA_BY_FRAMES)
        network.flatten(dynamic=False)
        for index, outputs in enumerate(self.dense):
            last = index == len(self.dense) - 1
            network.dense(outputs, "none" if last else "relu", per_channel=self.seed % 2 == 0)
        path = network.save(folder / f"chain{self.seed}.tflite")
        return App(path, self.frames, self.cepstra, self.layout, self.kernels)


def _add(network: Network, layer: Convolution, turned: bool) -> None:
    """A convolution with time along the rows, or along the columns where the picture is turned."""

    def pair(along: int, across: int) -> tuple[int, int]:
        return (across, along) if turned else (along, across)

    random, (_, rows, columns, inputs) = network.random, network.shape
    kernel, strides, dilations = pair(*layer.kernel), pair(1, layer.stride), pair(*layer.dilation)
    scales = random.uniform(0.002, 0.02, layer.depth if layer.per_channel else 1).astype(np.float32)
    weights = random.integers(-127, 128, (layer.depth, *kernel, inputs), np.int8)
    bias = random.integers(-20000, 20000, layer.depth).astype(np.int32)
    w = network.constant(weights, scales.tolist())
    b = network.constant(bias, (scales * np.float32(network.scale)).tolist())
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    if layer.padding == "valid":
        size = [(n - s) // t + 1 for n, s, t in zip((rows, columns), spans, strides, strict=True)]
    else:
        size = [-(-n // t) for n, t in zip((rows, columns), strides, strict=True)]
    zero_point = -128 if layer.activation == "relu" and random.integers(3) else int(random.integers(-60, 60))
    scale = network._out_scale(float(scales.mean()), int(np.prod(kernel)) * inputs)
    source = network.last
    network.last = network._next((1, *size, layer.depth), scale, zero_point, f"conv{source}")
    options = {
        "padding": PADDINGS[layer.padding],
        "strideH": strides[0],
        "strideW": strides[1],
        "dilationHFactor": dilations[0],
        "dilationWFactor": dilations[1],
        "fusedActivationFunction": ACTIVATIONS[layer.activation],
    }
    network.operator("CONV_2D", [source, w, b], [network.last], options)
    if layer.batch_norm:
        network.per_channel("MUL")
        network.per_channel("ADD")


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """Any chain that fits its picture."""
    layout = draw(st.sampled_from(LAYOUTS))
    frames, cepstra = draw(st.integers(6, 16)), draw(st.integers(4, 24))
    along, across = frames, (frames if layout is Layout.SCRAMBLED else cepstra)
    if layout is Layout.SCRAMBLED:
        along, across = cepstra, frames
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        dilation = draw(st.sampled_from([(1, 1), (1, 1), (1, 1), (2, 1), (1, 2)]))
        kernel = (
            draw(st.integers(1, max(1, min(3, (along - 2) // dilation[0])))),
            draw(st.integers(1, max(1, min(3, (across - 2) // dilation[1])))),
        )
        stride = 1 if layout is Layout.SCRAMBLED else draw(st.sampled_from([1, 1, 2]))
        padding = "valid"
        if layout is not Layout.SCRAMBLED and kernel[0] == 1 and draw(st.booleans()):
            padding = "same"
        if stride > 1:
            dilation = (1, 1)
        spans = ((kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1)
        if spans[0] > along - 1 or spans[1] > across - 1:
            continue
        layers.append(
            Convolution(
                depth=draw(st.sampled_from([1, 2, 3, 4, 8, 16])),
                kernel=kernel,
                stride=stride,
                dilation=dilation,
                padding=padding,
                activation=draw(st.sampled_from(["relu", "relu", "none", "relu6"])),
                batch_norm=draw(st.booleans()),
                per_channel=draw(st.booleans()),
            )
        )
        along -= spans[0] - 1
        across = -(-across // stride) if padding == "same" else (across - spans[1]) // stride + 1
    layers = layers or [Convolution(4, (1, 1))]
    dense = draw(st.sampled_from([(5,), (16, 4), (7, 3)]))
    return Chain(
        frames,
        cepstra,
        layout,
        tuple(layers),
        dense,
        draw(st.sampled_from(["small", "fast"])),
        draw(st.integers(0, 1 << 30)),
    )


def stream(count: int, cepstra: int, seed: int) -> Int8s:
    """Frames: noise over the whole range, quiet stretches, the rails."""
    random = np.random.default_rng(seed)
    frames = random.integers(-128, 128, (count, cepstra), dtype=np.int8)
    frames[count // 3 : count // 2] = random.integers(-20, 20, frames[count // 3 : count // 2].shape)
    frames[count // 2], frames[count // 2 + 1] = -128, 127
    return frames


def expected(app: App, frames: Int8s) -> Int8s:
    """The reference interpreter on every window."""
    shape = load_graph(app.model).input.shape[1:]
    windows = [app.tensor(frames, at).reshape(shape) for at in range(app.frames - 1, len(frames))]
    with ReferenceInterpreter(app.model) as reference:
        return np.asarray(reference.run(np.stack(windows))).reshape(len(windows), -1)


def script(app: App, frames: Int8s, seed: int) -> tuple[list[tuple[str, Int8s | None]], list[int]]:
    """Full runs, advances, gaps of advances alone; and the windows whose scores come out, in order."""
    random = np.random.default_rng(seed)
    planned = plan_of(app, load_graph(app.model))
    assert not isinstance(planned, str), planned
    first = range(app.frames - 1, app.frames - 1 + app.every * planned.phases, app.every)
    steps: list[tuple[str, Int8s | None]] = [("r", app.tensor(frames, newest)) for newest in first]
    windows = [newest - app.frames + 1 for newest in first]
    for newest in range(first.stop, len(frames), app.every):
        kind = random.choice(["decide", "decide", "decide", "gap", "full"])
        if kind == "full":
            if planned.phases > 1 and steps[-1][0] == "a":  # else the rows of one phase would be missing
                steps.append(("f", None))
                windows.append(newest - app.frames + 1 - app.every)
            steps.append(("r", app.tensor(frames, newest)))
            windows.append(newest - app.frames + 1)
            continue
        steps += [("a", frames[at]) for at in range(newest - app.every + 1, newest + 1)]
        if kind == "decide":
            steps.append(("f", None))
            windows.append(newest - app.frames + 1)
    return steps, windows


def compare(apps: list[App], *, target: str = "pc", windows: int = WINDOWS, seed: int = 0) -> int:
    """Asserts that every score is the reference's; the number of different outputs seen."""
    streams = [
        stream(app.frames + windows * app.every, app.cepstra, seed + at) for at, app in enumerate(apps)
    ]
    scripts = [
        script(app, frames, seed + at) for at, (app, frames) in enumerate(zip(apps, streams, strict=True))
    ]
    found = StreamsC(apps, target=target).run([steps for steps, _ in scripts])
    distinct = 0
    for app, frames, (_, order), outputs in zip(apps, streams, scripts, found, strict=True):
        wanted = expected(app, frames)[order]
        np.testing.assert_array_equal(outputs, wanted, err_msg=app.model.name)
        distinct += len(np.unique(outputs))
    return distinct


def logits(path: Path, seed: int, shape: tuple[int, int]) -> Path:
    """The tutorial's network without its softmax, which hides differences."""
    network = Network(seed, (1, *shape, 1))
    for depth in (16, 16):
        network.conv(depth, (2, 2))
    network.per_channel("MUL")
    network.per_channel("ADD")
    for depth in (8, 8):
        network.conv(depth, (2, 2))
    network.flatten(dynamic=True)
    network.dense(16, "relu", per_channel=True)
    network.dense(4, per_channel=True)
    return network.save(path)


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_tutorials_network_in_all_layouts(tmp_path: Path, target: str) -> None:
    """Natural, turned and scrambled, small and fast, logits and softmax."""
    apps = []
    for layout in LAYOUTS:
        shape = (15, 20) if layout is Layout.FRAMES_BY_CEPSTRA else (20, 15)
        for kernels in ("small", "fast"):
            path = tmp_path / f"{layout.value}_{kernels}.tflite"
            apps.append(App(logits(path, 5, shape), 15, 20, layout, kernels))
        path = tmp_path / f"{layout.value}_softmax.tflite"
        apps.append(App(tutorial_like(path, 7, shape=shape), 15, 20, layout))
    assert compare(apps, target=target, windows=120) > 100 * len(LAYOUTS)


def one_column(path: Path, seed: int, frames: int, cepstra: int) -> Path:
    """Convolutions over all of a frame, then of one position: as separable networks of keyword spotters."""
    network = Network(seed, (1, frames, cepstra, 1), 0.05, -7)
    network.conv(40 + seed, (3, cepstra))
    network.conv(33, (1, 1), "none")  # 40 taps and more: a dense layer, its rows kept for the next
    network.conv(17, (2, 1))
    network.conv(36, (1, 1), "none")  # too few taps: the stream kernel
    network.conv(64, (1, 1))
    network.per_channel("MUL")
    network.conv(8, (1, 1))
    network.flatten(dynamic=False)
    network.dense(4, per_channel=True)
    return network.save(path)


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_one_column(tmp_path: Path, target: str) -> None:
    """Pointwise layers over one position are dense layers, and their rows go on as int8."""
    apps = []
    for seed, kernels in enumerate(("small", "fast", "small")):
        path = one_column(tmp_path / f"{seed}.tflite", seed, 9, 12)
        apps.append(App(path, 9, 12, Layout.FRAMES_BY_CEPSTRA, kernels))
        planned = plan_of(apps[-1], load_graph(path))
        assert isinstance(planned, Incremental)
        types = [task.layer.type for task in planned.schedule if task.computes]
        stream, pairs = "stream_conv_2d", "fully_connected_pairs"
        assert [name for name in types if name != "table"][:4] == [stream, pairs, stream, stream]
        assert types.count(pairs) >= 2, types
    compare(apps, target=target)


def macs_of(planned: Incremental) -> list[int]:
    """Multiplications of a step, layer by layer."""
    return [task.layer.macs for task in planned.schedule if task.computes]


def test_plan_of_the_tutorials_network(tmp_path: Path) -> None:
    """One new row of each convolution: the multiplications that the architecture allows, counted by hand."""
    natural = App(logits(tmp_path / "n.tflite", 1, (15, 20)), 15, 20, Layout.FRAMES_BY_CEPSTRA)
    planned = plan_of(natural, load_graph(natural.model))
    assert isinstance(planned, Incremental)
    assert macs_of(planned) == [19 * 4 * 16, 18 * 64 * 16, 17 * 64 * 8, 16 * 32 * 8]
    assert [task.first for task in planned.schedule if task.computes] == [1, 2, 3, 4]
    scrambled = App(logits(tmp_path / "s.tflite", 1, (20, 15)), 15, 20, Layout.SCRAMBLED)
    flat = plan_of(scrambled, load_graph(scrambled.model))
    assert isinstance(flat, Incremental)
    assert macs_of(flat) == [1280, 20480, 10240, 5120]


@BATCHES
@given(batches(chains(), 24))
def test_random_chains(tmp_path_factory: pytest.TempPathFactory, cases: Batch) -> None:
    """Any kernels, dilations, depths; strides and padding across time; batch normalisation; all layouts."""
    folder = tmp_path_factory.mktemp("chains")
    apps = [case.write(folder) for case in cases]
    planned = [(app, plan_of(app, load_graph(app.model))) for app in apps]
    streamed = [app for app, plan in planned if isinstance(plan, Incremental)]
    assert len(streamed) > len(apps) // 2, [plan for _, plan in planned if isinstance(plan, str)]
    compare(streamed)


def test_random_chains_on_the_emulated_core(tmp_path: Path) -> None:
    """A sample of the same through the kernels of the DSP extension."""
    random = np.random.default_rng(3)
    apps = []
    for index in range(24):
        layout = LAYOUTS[index % 3]
        layers = tuple(
            Convolution(
                depth=int(random.choice([1, 2, 3, 4, 8, 16, 20])),
                kernel=(int(random.integers(1, 4)), int(random.integers(1, 4))),
                stride=1 if layout is Layout.SCRAMBLED else int(random.integers(1, 3)),
                activation=str(random.choice(["relu", "none", "relu6"])),
                batch_norm=bool(random.integers(2)),
            )
            for _ in range(2)
        )
        chain = Chain(14, 18, layout, layers, (6, 3), ["small", "fast"][index % 2], index)
        app = chain.write(tmp_path)
        if isinstance(plan_of(app, load_graph(app.model)), Incremental):
            apps.append(app)
    assert len(apps) > 12
    compare(apps, target="qemu")


def test_rows_of_one_and_two_positions(tmp_path: Path) -> None:
    """Two pairs of channels at a time: even and odd numbers of pairs and channels, one pair alone; any number
    of steps modulo 4; with and without a table, values below the zero point kept or not."""
    apps, reached = [], set()
    for seed, depth in enumerate((2, 3, 4, 5, 6, 7, 8, 12, 16, 3, 5, 7)):
        activation, cepstra, reach = ["relu", "none", "relu6"][seed % 3], 4 + seed, 1 + seed % 3
        first = Convolution(depth, (1, cepstra - seed % 2), activation=activation, batch_norm=seed % 4 == 1)
        second = Convolution(9 - seed % 6, (reach, 1), activation="none" if seed % 2 else "relu")
        chain = Chain(8, cepstra, Layout.FRAMES_BY_CEPSTRA, (first, second), (3,), "small", 70 + seed)
        app = chain.write(tmp_path)
        planned = plan_of(app, load_graph(app.model))
        assert isinstance(planned, Incremental), planned
        apps.append(app)
        for task in planned.schedule:
            fields = dict(task.layer.fields)
            if task.computes and task.layer.type == "stream_conv_2d":
                steps, words = int(fields["steps"]), int(fields["end"].split()[-1])
                pairs = words // (2 * steps + 8)
                table, kept = fields["table"] != "NULL", fields["keeps_negative"] != "0"
                assert int(fields["columns"]) in (1, 2)
                reached |= {("step", steps % 4, pairs > 1), ("pairs", min(pairs, 4)), (table, kept)}
    assert reached >= {("step", left, True) for left in range(4)} | {("pairs", n) for n in range(1, 5)}
    assert reached >= {(table, kept) for table in (False, True) for kept in (False, True)}
    compare(apps, target="qemu", windows=24)


def test_kept_rows_are_used(tmp_path: Path) -> None:
    """A wrong frame in the past changes later scores until it has left the cascade, and no longer."""
    app = App(logits(tmp_path / "m.tflite", 9, (15, 20)), 15, 20, Layout.FRAMES_BY_CEPSTRA)
    frames = stream(60, 20, 4)
    poisoned = frames.copy()
    poisoned[20] ^= 0x55
    runs = []
    for past in (frames, poisoned):
        steps: list[tuple[str, Int8s | None]] = [("r", app.tensor(frames, 14))]
        for newest in range(15, 60):
            steps += [("a", past[newest]), ("f", None)]
        runs.append(StreamsC([app]).run([steps])[0])
    changed = (runs[0] != runs[1]).any(axis=1)
    assert not changed[:6].any()
    assert changed[6:21].any()
    assert not changed[21:].any()
    np.testing.assert_array_equal(runs[0], expected(app, frames))
