# SPDX-License-Identifier: Apache-2.0
"""Training: recipe, pieces, augmentation and cache everywhere; a whole training where TensorFlow is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec import Layout
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from codegen.compile import compile_app
from codegen.emit.sources import sources
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from tests.support.tutorial import noises, tutorial_app, tutorial_library
from workbench.host.host_library import HostPipeline
from workbench.training.augment import LOUD, QUIET, altered
from workbench.training.features import pictures, tensor_shape, vectors
from workbench.training.pieces import Piece, Recording
from workbench.training.recipe import FILE_NAME, KEYS, SECTIONS, Augmentation, Recipe, load_recipe

EXAMPLE = ROOT / "examples" / "smart_lock"
FILE = Path("/sounds/a.wav")


# training.toml


def recipe(folder: Path, text: str) -> Recipe:
    (folder / FILE_NAME).write_text(text)
    return load_recipe(folder)


def test_an_empty_recipe_is_the_defaults(tmp_path: Path) -> None:
    assert recipe(tmp_path, "") == Recipe(tmp_path / FILE_NAME)


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """
        [data]
        train_session = "mornings"
        test_session = "evenings"
        test = 0.3
        segment = 16000
        validation = 0.25
        synthetic = 3
        [augmentation]
        copies = 1
        shift = 2
        speed = 0.5
        gain_db = 3
        room = 0.75
        room_time = 900
        tilt_db = 0.5
        noise = 1
        noise_db = 30.5
        background = 0.25
        background_db = 12
        [network]
        convolutions = [4, 5]
        kernel = 3
        normalize_after = 0
        dense = []
        dropout = 0
        [fit]
        seed = 9
        epochs = 2
        batch = 8
        unknown = 1.5
        learning_rate = 0.1
        weight_decay = 0
        label_smoothing = 0
        mix = 0
        fine_tune = 0
    """
    read = recipe(tmp_path, text)
    assert (read.data.train_session, read.data.segment, read.data.validation) == ("mornings", 16000, 0.25)
    assert read.augmentation == Augmentation(1, 2, 0.5, 3.0, 0.75, 900, 0.5, 1.0, 30.5, 0.25, 12.0)
    assert (read.network.convolutions, read.network.dense, read.network.kernel) == ((4, 5), (), 3)
    assert (read.fit.seed, read.fit.learning_rate) == (9, 0.1)
    # Each key above differs from its default, and none is forgotten; of `kind` and `file`
    # test_kinds and test_own_network tell.
    for section, keys in KEYS.items():
        for key in (key for key in keys if key not in ("kind", "file")):
            default = getattr(SECTIONS[section](), key)
            assert getattr(getattr(read, section), key) != default, key


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[fit]\nepoch = 3\n", "line 2, [fit] epoch", "there is no such key; known: seed, epochs"),
        ("[fitting]\n", "line 1, [fitting]", "there is no such section; known: data, augmentation"),
        ("fit = 3\n", "line 1, fit", "found 3; a section [fit] is allowed"),
        ("[fit]\nepochs = 0\n", "line 2, [fit] epochs", "0 is out of range; a whole number, 1..10000"),
        ("[data]\nvalidation = 0.9\n", "line 2, [data] validation", "0.9 is out of range; a number, 0..0.5"),
        ("[data]\ntrain_session = 3\n", "line 2, [data] train_session", "found 3; a name in quotes"),
        (
            "[network]\nconvolutions = 16\n",
            "line 2, [network] convolutions",
            "found 16; an array of 0..8 numbers",
        ),
        ("[network]\nconvolutions = [0]\n", "line 2, [network] convolutions", "0 is out of range"),
        (
            "[network]\nnormalize_after = 5\n",
            "line 2, [network] normalize_after",
            "there is no convolution 5",
        ),
    ],
)
def test_broken_recipes(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        recipe(tmp_path, text)
    assert caught.value.place == place
    assert words in caught.value.what


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserErrors) as caught:
        recipe(tmp_path, "[fit]\nepochs = 0\nbatch = -1\n[more]\n")
    assert len(caught.value.errors) == 3


def test_no_recipe_is_the_defaults(tmp_path: Path) -> None:
    assert load_recipe(tmp_path) == Recipe(tmp_path / FILE_NAME)
    with pytest.raises(UserError, match="there is no such file"):
        load_recipe(tmp_path / "other.toml")


def test_the_page_tells_every_key_with_its_default_and_range() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    reported: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in page.splitlines():
        if heading := re.match(r"### \[(\w+)\]", line):
            section = heading[1]
        elif row := re.match(r"\| `(\w+)` \|", line):
            reported[section, row[1]] = [cell.strip() for cell in line.split("|")[2:-1]]
    assert list(reported) == [(section, key) for section, rules in KEYS.items() for key in rules]
    for (section, key), (default, allowed, meaning) in reported.items():
        rule = KEYS[section][key]
        value = getattr(SECTIONS[section](), key)
        written = (
            "" if value is None else f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`"
        )
        assert default == (f"`{value:g}`" if isinstance(value, float) else written), key
        assert allowed == " ".join(filter(None, [rule.range, rule.unit])), key
        assert len(meaning) > 5


# Augmentation

PIECE = Piece(FILE, 8000, 16_000, 0, "")
STILL = Augmentation(copies=1, shift=0, speed=0.0, gain_db=0.0, tilt_db=0.0, noise=0.0)


def tone(hertz: float, count: int = 24_000) -> NDArray[np.int16]:
    wave = 9000 * np.sin(2 * np.pi * hertz * np.arange(count) / 16_000)
    return np.asarray(np.rint(wave), np.int16)


def test_nothing_altered_is_the_piece() -> None:
    samples = noises(1.5)
    assert np.array_equal(altered(samples, PIECE, RandomState(1), STILL), samples[8000:16_000])


def test_shift_stays_within_its_bound_and_the_recording() -> None:
    samples = np.arange(24_000, dtype=np.int16)
    how = Augmentation(copies=1, shift=1000, speed=0.0, gain_db=0.0, tilt_db=0.0, noise=0.0)
    firsts = {int(altered(samples, PIECE, RandomState(seed), how)[0]) for seed in range(200)}
    assert 7000 <= min(firsts) < 7200
    assert 8800 < max(firsts) <= 9000
    edge = Piece(FILE, 16_000, 24_000, 0, "")
    for seed in range(50):
        moved = altered(samples, edge, RandomState(seed), how)
        assert np.array_equal(np.diff(moved), np.ones(7999))
        assert moved[-1] <= 23_999


def test_speed_moves_a_tone_s_pitch() -> None:
    how = Augmentation(copies=1, shift=0, speed=0.5, gain_db=0.0, tilt_db=0.0, noise=0.0)
    pitches = []
    for seed in range(100):
        copy = altered(tone(1000), PIECE, RandomState(seed), how)
        assert len(copy) == 8000
        pitches.append(np.abs(np.fft.rfft(copy)).argmax() * 2.0)
    assert 1000 * 2**-0.5 - 2 <= min(pitches) < 760
    assert 1330 < max(pitches) <= 1000 * 2**0.5 + 2


def test_gain_stays_between_gate_and_clipping() -> None:
    how = Augmentation(copies=1, shift=0, speed=0.0, gain_db=60.0, tilt_db=0.0, noise=0.0)
    peaks = [int(np.abs(altered(tone(440), PIECE, RandomState(seed), how)).max()) for seed in range(100)]
    assert QUIET - 1 <= min(peaks) < 1000
    assert 20_000 < max(peaks) <= LOUD + 1


def test_noise_lies_as_far_below_as_asked() -> None:
    how = Augmentation(copies=1, shift=0, speed=0.0, gain_db=0.0, tilt_db=0.0, noise=1.0, noise_db=20.0)
    samples = tone(440)
    levels = []
    for seed in range(60):
        noise = altered(samples, PIECE, RandomState(seed), how).astype(float) - samples[8000:16_000]
        levels.append(20 * np.log10(np.abs(noise).max() / 9000))
    # 20 to 45 dB, and the crest factor of 3 (9.5 dB).
    assert -56 < min(levels) < -50
    assert -35 < max(levels) < -28


def test_background_lies_as_far_below_as_asked() -> None:
    how = replace(STILL, background=0.5, background_db=10.0)
    samples, other = tone(440), tone(3000, 5000) // 9  # of another loudness, shorter than the piece
    levels = []
    for seed in range(100):
        mixed = altered(samples, PIECE, RandomState(seed), how, [other]).astype(float) - samples[8000:16_000]
        if np.abs(mixed).max() > 1:
            levels.append(20 * np.log10(np.abs(mixed).max() / 9000))
            assert np.abs(np.fft.rfft(mixed)).argmax() == pytest.approx(1500, abs=2)
    assert 35 < len(levels) < 65
    assert -35.1 < min(levels) < -33
    assert -12 < max(levels) < -9.9
    assert np.array_equal(altered(samples, PIECE, RandomState(0), how), samples[8000:16_000])  # none is there


def test_a_room_answers_a_click_with_noise_that_decays() -> None:
    """What follows the click: 60 dB less after the reverberation time, by Schroeder's backward integration;
    the click itself stays where it is."""
    samples = np.zeros(24_000, np.int16)
    samples[9000] = 20_000
    how = Augmentation(
        copies=1, shift=0, speed=0.0, gain_db=0.0, tilt_db=0.0, noise=0.0, room=1.0, room_time=4000
    )
    times = []
    for seed in range(30):
        copy = altered(samples, PIECE, RandomState(seed), how).astype(float)
        assert np.argmax(np.abs(copy)) == 1000
        assert not copy[:1000].any()
        left = np.cumsum(copy[1001:][::-1] ** 2)[::-1]
        decibels = 10 * np.log10(np.maximum(left, 1e-9) / left[0])
        early, late = (int(np.argmax(decibels < level)) for level in (-5, -20))
        times.append(4 * (late - early))  # 15 dB four times
        assert -1 < 10 * np.log10(20_000**2 / left[0]) < 21
    assert 300 < min(times) < 1000
    assert 3000 < max(times) < 5000
    assert np.array_equal(
        altered(samples, PIECE, RandomState(1), replace(how, room=0.0)), samples[8000:16_000]
    )


def test_tilt_changes_bands_not_the_length() -> None:
    how = Augmentation(copies=1, shift=0, speed=0.0, gain_db=0.0, tilt_db=6.0, noise=0.0)
    factors = []
    for seed in range(100):
        copy = altered(tone(2000), PIECE, RandomState(seed), how)
        factors.append(
            20
            * np.log10(np.abs(np.fft.rfft(copy)).max() / np.abs(np.fft.rfft(tone(2000)[8000:16_000])).max())
        )
    assert 3 < np.std(factors) < 7  # 2 kHz is the band edge of a quarter of 8 kHz: its own draw of 6 dB


# Features


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> HostPipeline:
    app = tutorial_app(tmp_path_factory.mktemp("training") / "door")
    made = tutorial_library(app, tmp_path_factory.mktemp("code")).pipeline
    assert made is not None
    return made


def sound(name: str, starts: Sequence[int]) -> Recording:
    pieces = tuple(Piece(Path(name), start, start + 8000, label, "") for label, start in enumerate(starts))
    return Recording(Path(name), noises(2.0, seed=len(name)), pieces)


def test_vectors_are_the_features_of_each_piece(pipeline: HostPipeline, tmp_path: Path) -> None:
    recording = sound("a.wav", (0, 12_345))
    made = vectors(pipeline, [recording], tmp_path)
    assert made.labels.tolist() == [0] * 6 + [1] * 6
    for index, start in enumerate((0, 12_345)):
        _, _, scaled = pipeline.features(recording.samples[start : start + 8000])
        for offset in range(6):
            expected = [value for frame in scaled[offset : offset + 15] for value in frame]
            assert made.values[6 * index + offset].tolist() == expected


def test_copies_do_not_depend_on_the_other_pieces(pipeline: HostPipeline, tmp_path: Path) -> None:
    how = Augmentation(copies=2)
    both = vectors(pipeline, [sound("a.wav", (0, 12_345))], tmp_path, how, seed=3)
    one = vectors(pipeline, [sound("a.wav", (0,))], tmp_path, how, seed=3)
    assert len(both) == 2 * len(one) == 2 * 3 * 6
    assert np.array_equal(both.values[:18], one.values)
    assert not np.array_equal(one.values[6:12], one.values[12:18])
    other = vectors(pipeline, [sound("a.wav", (0,))], tmp_path, how, seed=4)
    assert np.array_equal(one.values[:6], other.values[:6])
    assert not np.array_equal(one.values[6:12], other.values[6:12])


def test_another_background_is_another_cache(pipeline: HostPipeline, tmp_path: Path) -> None:
    how = Augmentation(copies=1, background=1.0)
    made = [
        vectors(pipeline, [sound("a.wav", (0,))], tmp_path, how, 1, background=[tone(hertz)]).values.tobytes()
        for hertz in (500, 2000, 500)
    ]
    assert made[0] == made[2] != made[1]
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_an_interrupted_training_goes_on(
    pipeline: HostPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = [sound("a.wav", (0,)), sound("bb.wav", (100,))]
    made = vectors(pipeline, recordings, tmp_path)
    first, second = sorted(tmp_path.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
    asked: list[int] = []
    features = pipeline.features

    def counted(samples: NDArray[np.int16]) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.uint8]]:
        asked.append(len(samples))
        return features(samples)

    monkeypatch.setattr(pipeline, "features", counted)
    assert np.array_equal(vectors(pipeline, recordings, tmp_path).values, made.values)
    assert asked == []
    first.unlink()  # never made
    second.write_bytes(second.read_bytes()[:500])  # cut short
    assert np.array_equal(vectors(pipeline, recordings, tmp_path).values, made.values)
    assert asked == [8000, 8000]


def test_another_contract_is_another_cache(
    pipeline: HostPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = sound("a.wav", (0,))
    vectors(pipeline, [recording], tmp_path)
    monkeypatch.setattr(pipeline, "contract", "0123456789abcdef")
    vectors(pipeline, [recording], tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_pictures() -> None:
    values = np.arange(2 * 6, dtype=np.uint8).reshape(2, 6)  # 2 vectors of 3 frames with 2 cepstra
    assert pictures(values, 3, Layout.FRAMES_BY_CEPSTRA).tolist() == values.tolist()
    assert pictures(values, 3, Layout.SCRAMBLED).tolist() == values.tolist()
    turned = pictures(values, 3, Layout.CEPSTRA_BY_FRAMES)
    assert turned.tolist() == [[0, 2, 4, 1, 3, 5], [6, 8, 10, 7, 9, 11]]


def test_tensor_shapes(pipeline: HostPipeline) -> None:
    assert tensor_shape(pipeline.spec, Layout.FRAMES_BY_CEPSTRA) == (15, 20)
    assert tensor_shape(pipeline.spec, Layout.SCRAMBLED) == (20, 15)
    assert tensor_shape(pipeline.spec, Layout.CEPSTRA_BY_FRAMES) == (20, 15)


# The committed model


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph(EXAMPLE / "model.tflite")


def kernels(graph: Graph) -> list[tuple[int, ...]]:
    """Shapes of the weights, in order."""
    nodes = [node for node in graph.nodes if node.op in ("CONV_2D", "FULLY_CONNECTED")]
    return [graph.tensors[node.inputs[1]].shape for node in nodes]


def test_the_example_is_the_tutorial_s_network(graph: Graph) -> None:
    operators = [node.op for node in graph.nodes if node.op not in ("SHAPE", "STRIDED_SLICE", "PACK")]
    convolutions = ["CONV_2D", "CONV_2D", "MUL", "ADD", "CONV_2D", "CONV_2D"]
    assert operators == [*convolutions, "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
    assert graph.input.shape == (1, 15, 20, 1)
    assert kernels(graph) == [(16, 2, 2, 1), (16, 2, 2, 16), (8, 2, 2, 16), (8, 2, 2, 8), (16, 1408), (4, 16)]
    weights = sum(int(np.prod(shape)) + shape[0] for shape in kernels(graph))
    # Mean, variance, scale and offset of 16 channels are 64 parameters, and 32 constants once converted.
    assert weights + 64 == 24_580


def test_its_multiplications(graph: Graph) -> None:
    convolutions = [
        (graph.tensors[node.outputs[0]].shape, graph.tensors[node.inputs[1]].shape)
        for node in graph.nodes
        if node.op == "CONV_2D"
    ]
    dense = [int(np.prod(shape)) for shape in kernels(graph)[4:]]
    whole = [int(np.prod(out)) * int(np.prod(kernel[1:])) for out, kernel in convolutions]
    one_frame = [macs // out[1] for macs, (out, _) in zip(whole, convolutions, strict=True)]
    assert sum(whole) + sum(dense) == 428_736
    assert one_frame == [1216, 18_432, 8704, 4096]
    assert sum(one_frame) + sum(dense) == 55_040


def test_a_feature_enters_the_example_unchanged(graph: Graph) -> None:
    assert graph.input.quantization is not None
    assert (graph.input.quantization.scale, graph.input.quantization.zero_point) == (1.0, -128)


def test_the_example_s_contract_is_its_pipeline_s() -> None:
    assert (EXAMPLE / "model.contract").read_text() == f"{feature_contract(load_spec(EXAMPLE))}\n"


def test_a_model_trained_on_other_features_is_refused(tmp_path: Path) -> None:
    app = tmp_path / "door"
    app.mkdir()
    for name in ("pipeline.toml", "model.tflite", "model.contract"):
        shutil.copyfile(EXAMPLE / name, app / name)
    sources(compile_app(app))
    text = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(
        text.replace("threshold = 600", "threshold = 700")
    )  # needs no training
    sources(compile_app(app))
    (app / "pipeline.toml").write_text(text.replace("preemphasis = 0.97", "preemphasis = 0.96"))
    with pytest.raises(UserError, match="the model was trained on features") as caught:
        sources(compile_app(app))
    assert caught.value.file == str(app / "model.contract")
    (app / "model.contract").unlink()
    sources(compile_app(app))
