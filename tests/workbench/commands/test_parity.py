# SPDX-License-Identifier: Apache-2.0
"""This computer, a Cortex-M4 and a Cortex-M33 print the same lines, and those the descriptions ask for."""

from __future__ import annotations

import contextlib
import json
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.app.spec import Mfcc
from codegen.app.spec_file import load_spec
from codegen.passes.legalise import load_graph
from tests.reference.stages import decided_windows, verdicts
from tests.support.apps import App
from tests.support.cli import earshot, refused
from tests.support.doors import board_of, open_image
from tests.support.expected import (
    cepstra_of,
    decision_line,
    expected_lines,
    feature,
    flags_of,
    windows_of,
)
from tests.support.images import M33_BOARD, QEMU_BOARD, WIDE, wide_image
from tests.support.shared import shared
from tests.support.tools import need_tool
from tests.support.tutorial import BARE, noises, tutorial_app
from toolbox.options import EXAMPLE
from workbench.audio.recording import read_audio
from workbench.targets import Device, open_app
from workbench.verify.reference import ReferenceInterpreter

pytestmark = pytest.mark.xdist_group("images")

RECORDINGS = ("knocking__fs103995a.flac", "keyboard_typing__fs172742a.flac", "mouse_click__fs155556a.flac")


@pytest.fixture(scope="module")
def example() -> Iterator[tuple[Device, ...]]:
    """The example on this computer and on two cores in QEMU, built as users build it."""
    need_tool("qemu-system-arm")
    need_tool("arm-none-eabi-gcc")
    with contextlib.ExitStack() as opened:
        pc = opened.enter_context(open_app(EXAMPLE, "pc", timeout=600))
        chips = [
            opened.enter_context(open_app(EXAMPLE, "qemu", board=board, timeout=600))
            for board in (QEMU_BOARD, M33_BOARD)
        ]
        yield pc, *chips


def same(devices: tuple[Device, ...], sound: NDArray[np.int16], *, stages: bool) -> list[str]:
    """The lines of all, which must be the same."""
    reported = []
    for device in devices:
        device.command("stages on" if stages else "stages off")
        reported.append(list(device.replay(sound)))
    assert all(lines == reported[0] for lines in reported)
    return reported[0]


def test_all_are_the_same_app(example: tuple[Device, ...]) -> None:
    pc, *chips = (device.boot for device in example)
    assert [boot.board for boot in (pc, *chips)] == ["pc", "mps2_an386", "mps2_an505"]
    assert len({boot.build for boot in (pc, *chips)}) == 3
    for field in ("name", "engine", "model", "contract", "rate", "frames", "labels", "input", "output"):
        assert all(getattr(pc, field) == getattr(boot, field) for boot in chips)


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(example: tuple[Device, ...], name: str) -> None:
    sound = read_audio(shared(f"audio/smart_lock/wav_flac/{name}"), 16000)[: 16000 * 6]
    lines = same(example, sound, stages=True)
    assert sum('"stage":"cepstra"' in line for line in lines) == len(sound) // 400
    assert any("Classification" in line for line in lines)


@pytest.mark.parametrize("seed", [1, 2])
def test_synthetic_sound(example: tuple[Device, ...], seed: int) -> None:
    lines = same(example, noises(5, seed), stages=True)
    assert sum('"stage":"cepstra"' in line for line in lines) == 200
    assert 20 < sum("Classification" in line for line in lines) < 186


SAMPLES = st.integers(-32768, 32767) | st.sampled_from([-32768, -601, -600, 0, 600, 601, 32767])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(SAMPLES, SAMPLES, st.integers(1, 3000)), min_size=1, max_size=8),
    st.integers(0, 1 << 32),
)
def test_random_sound(example: tuple[Device, ...], pieces: list[tuple[int, int, int]], seed: int) -> None:
    """Pieces of noise between any two levels."""
    random = np.random.default_rng(seed)
    parts = [random.integers(min(a, b), max(a, b) + 1, count) for a, b, count in pieces]
    same(example, np.concatenate(parts).astype(np.int16), stages=True)


def test_full_scale_and_silence(example: tuple[Device, ...]) -> None:
    square = np.where(np.arange(8000) % 40 < 20, 32767, -32768)
    silence = np.zeros(8000)
    same(example, np.concatenate([silence, square, silence, -square - 1]).astype(np.int16), stages=True)


def test_other_settings_print_what_the_descriptions_say() -> None:
    random = np.random.default_rng(5)
    loud = np.repeat(random.choice([100, 400, 12000], 40), 256)
    sound = (random.normal(0, 1, len(loud)) * loud).clip(-32768, 32767).astype(np.int16)
    expected = expected_lines(WIDE, sound, stages=True)
    assert sum("Classification" in line for line in expected) > 5
    for door in ("pc", "qemu", "m33"):
        with open_image(door, wide_image(board_of(door))) as device:
            device.command("stages on")
            assert list(device.replay(sound)) == expected


def test_the_example_decides_what_descriptions_and_interpreter_say(example: tuple[Device, ...]) -> None:
    """From samples to lines without a line of our C: integers in Python, scores by TFLite's reference."""
    spec = load_spec(EXAMPLE)
    graph = load_graph(spec.classifier.model)
    assert spec.pipeline is not None
    assert graph.input.quantization is not None
    assert graph.output.quantization is not None
    pipeline = spec.pipeline
    assert isinstance(pipeline.front_end, Mfcc)
    app = App(
        window=pipeline.window,
        gate=pipeline.gate,
        mfcc=pipeline.front_end,
        scale=pipeline.scale,
        cascade=pipeline.cascade,
        labels=pipeline.decision.labels,
    )
    sound = noises(2.5, 4)
    windows = windows_of(app, sound)
    features = [[feature(app, value) for value in row] for row in cepstra_of(app, windows)]
    scale = Fraction(graph.input.quantization.scale)
    zero_point = graph.input.quantization.zero_point
    assert (spec.classifier.offset, spec.classifier.rounding.value) == (0, "nearest")
    frames = [
        [min(127, int(value / scale + Fraction(1, 2)) + zero_point) for value in row] for row in features
    ]
    held = app.cascade.frames
    decided = decided_windows(flags_of(app, windows), app.cascade)
    assert len(decided) > 20
    tensors = np.array([frames[index - held + 1 : index + 1] for index in decided], np.int8)
    with ReferenceInterpreter(spec.classifier.model) as reference:
        scores = reference.run(tensors.reshape(-1, *graph.input.shape[1:])).reshape(len(decided), -1)
    step, zero = Fraction(graph.output.quantization.scale), graph.output.quantization.zero_point
    limits = [
        next((q for q in range(-128, 128) if (q - zero) * step >= threshold), 128)
        for threshold in pipeline.decision.thresholds
    ]
    reported = verdicts(scores.tolist(), limits, pipeline.decision.votes)
    expected = [decision_line(app, index, *verdict) for index, verdict in zip(decided, reported, strict=True)]
    for device in example:
        device.command("stages off")
        assert list(device.replay(sound)) == expected


# earshot replay


def wav(file: Path, sound: NDArray[np.int16], rate: int = 16000) -> Path:
    """A recording."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(sound.astype("<i2").tobytes())
    return file


def test_replay_prints_the_lines_alone_whatever_the_target(
    tmp_path: Path, example: tuple[Device, ...]
) -> None:
    first, second = noises(1.5, 11), noises(1.0, 12)
    files = wav(tmp_path / "first.wav", first), wav(tmp_path / "second.wav", second)
    for stages in (False, True):
        named = [json.dumps({"recording": str(file)}, separators=(",", ":")) for file in files]
        expected = [named[0], *same(example, first, stages=stages)]
        expected += [named[1], *same(example, second, stages=stages)]
        for target in ("pc", "qemu"):
            words = [
                "replay",
                "--app",
                EXAMPLE,
                "--target",
                target,
                *(["--stages"] if stages else []),
                *files,
            ]
            done = earshot(*words)
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines() == expected


def test_replay_refuses_what_it_cannot_play(tmp_path: Path) -> None:
    good = wav(tmp_path / "good.wav", noises(0.1))
    other = wav(tmp_path / "other.wav", noises(0.1), 44100)
    assert "44100 Hz" in refused("replay", "--app", EXAMPLE, good, other)
    assert "no such file" in refused("replay", "--app", EXAMPLE, tmp_path / "none.wav")
    assert "no board" in refused("replay", "--app", EXAMPLE, "--target", "qemu", "--board", "no", good)
    assert "cannot be opened" in refused("replay", "--app", EXAMPLE, "--target", "/dev/none", good)
    bare = tutorial_app(tmp_path / "bare", text=BARE)
    assert "bare model" in refused("replay", "--app", bare, good)
