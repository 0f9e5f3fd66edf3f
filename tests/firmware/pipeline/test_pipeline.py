# SPDX-License-Identifier: Apache-2.0
"""The generated pipeline around a fake model that tells which frames it saw and how it was asked."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.app.spec import Audio, Cascade, Gate, Layout, Mfcc, Scale, Window
from codegen.app.tables import mfcc_tables
from tests.reference.stages import decided_windows, gate_flags, verdicts
from tests.support.apps import App, FakeModel, hashed, tables
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.pipeline_c import MfccStages, scaled
from tests.support.shared import shared
from workbench.host.host_library import EngineError, HostLibrary, HostPipeline, HostStep

SMALL = App(
    audio=Audio(8000),
    window=Window(64, 64),
    gate=Gate(600, 2, 0),
    mfcc=Mfcc(cepstra=3, filters=6, fft=128, high_hz=4000),
    cascade=Cascade(frames=4),
    labels=("a", "b", "c"),
    threshold=Fraction(1, 2),
)


@dataclasses.dataclass(frozen=True)
class Built:
    """A loaded app."""

    app: App
    pipeline: HostPipeline
    model: FakeModel


def build(folder: Path, app: App, *, incremental: bool = False, catch_up: int = 0) -> Built:
    path = app.build(folder, incremental=incremental, catch_up=catch_up)
    pipeline = HostLibrary(path, app.spec).pipeline
    assert pipeline is not None
    return Built(app, pipeline, FakeModel(path))


def frames_of(app: App, samples: NDArray[np.int16]) -> tuple[list[list[int]], list[int], list[list[int]]]:
    """Cepstra, peaks and int8 frames of all windows, stage by stage and each window by itself."""
    window = app.window
    stages = MfccStages(app.audio, window, app.mfcc)
    starts = range(0, len(samples) - window.size + 1, window.stride)
    windows = [samples[start : start + window.size] for start in starts]
    cepstra = [stages(values) for values in windows]
    features = [scaled(app.scale.minimum, app.scale.maximum, np.array(row, np.int32)) for row in cepstra]
    peaks = [int(np.abs(values.astype(np.int32)).max()) for values in windows]
    return cepstra, peaks, [[int(u) - 128 for u in row] for row in features]


def check_steps(app: App, samples: NDArray[np.int16], steps: Sequence[HostStep]) -> list[int]:
    """Every field of every step against the stages' references; the windows that decided."""
    cepstra, peaks, frames = frames_of(app, samples)
    flags = gate_flags(peaks, app.gate.threshold, app.gate.backoff, app.gate.delay)
    held = app.cascade.frames
    decided = decided_windows(flags, app.cascade)
    assert len(steps) == len(cepstra)
    assert [step.gate_open for step in steps] == flags
    assert [index for index, step in enumerate(steps) if step.decided] == decided
    scores = [hashed(frames[index - held + 1 : index + 1], len(app.labels)) for index in decided]
    reported = dict(zip(decided, verdicts(scores, limits(app), app.votes), strict=True))
    for index, step in enumerate(steps):
        assert step.sequence == index
        assert step.start == index * app.window.stride
        assert step.values.tolist() == cepstra[index]
        assert step.frame.tolist() == frames[index]
        assert step.features.tolist() == [value + 128 for value in frames[index]]
        assert step.segment_length == (held - 1) * app.window.stride + app.window.size
        if index in reported:
            assert step.scores is not None
            assert step.scores.tolist() == scores[decided.index(index)]
            assert (step.class_index, step.score) == reported[index]
            assert step.segment_start == (index - held + 1) * app.window.stride
    return decided


def limits(app: App) -> list[int]:
    """A share of 1/256 from -128 on."""
    limit = -(-app.threshold * 256 // 1) - 128
    return [int(limit)] * len(app.labels)


def windows(app: App, pattern: Sequence[bool], seed: int = 1) -> NDArray[np.int16]:
    """Noise, loud or quiet a stride."""
    noise = np.random.default_rng(seed).integers(-500, 501, (len(pattern), app.window.stride))
    return (noise * np.where(pattern, 40, 1)[:, None]).astype(np.int16).reshape(-1)


# The tutorial's settings


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("tutorial"), App())


def test_five_seconds_equal_the_reference_system(tutorial: Built) -> None:
    with np.load(shared("vectors/mfcc/stream_slide.npz")) as file:
        stream = dict(file)
    tutorial.pipeline.start()
    steps = list(tutorial.pipeline.steps(stream["audio"]))
    assert [step.gate_open for step in steps] == stream["pass_flags"].astype(bool).tolist()
    decided = [step for step in steps if step.decided]
    assert [step.sequence for step in decided] == stream["window_index"].tolist()
    assert [step.segment_start for step in decided] == stream["segment_start"].tolist()
    assert [step.segment_length for step in decided] == stream["segment_length"].tolist()
    vectors = np.array([step.input for step in decided]).astype(np.int16) + 128
    assert (vectors == stream["feature_u8"]).all()


def test_samples_may_come_in_any_portions(tutorial: Built) -> None:
    samples = windows(tutorial.app, [True] * 20)
    tutorial.pipeline.start()
    expected = list(tutorial.pipeline.steps(samples))
    check_steps(tutorial.app, samples, expected)
    tutorial.pipeline.reset()
    rng = np.random.default_rng(5)
    cuts = np.sort(rng.integers(0, samples.size, 60))
    portions = np.split(samples, cuts)
    steps = [step for portion in portions for step in tutorial.pipeline.steps(portion)]
    assert [(s.sequence, s.start, s.values.tolist(), s.class_index, s.score) for s in steps] == [
        (s.sequence, s.start, s.values.tolist(), s.class_index, s.score) for s in expected
    ]


# Layouts, overlap, sliding, votes, laziness: small windows, any pattern of loud and quiet

VARIANTS = {
    "run_only": (SMALL, False, 0),
    "advance": (SMALL, True, 100),
    "catch_up_2": (SMALL, True, 2),
    "catch_up_0": (SMALL, True, 0),
    "emptied": (dataclasses.replace(SMALL, cascade=Cascade(4, slide=False)), True, 100),
    "emptied_run_only": (dataclasses.replace(SMALL, cascade=Cascade(4, slide=False)), False, 0),
    "transposed": (dataclasses.replace(SMALL, layout=Layout.CEPSTRA_BY_FRAMES), True, 3),
    "scrambled": (dataclasses.replace(SMALL, layout=Layout.SCRAMBLED), True, 3),
    "overlap": (dataclasses.replace(SMALL, window=Window(64, 16)), True, 100),
    "odd_overlap": (dataclasses.replace(SMALL, window=Window(63, 37)), True, 3),
    "one_frame": (dataclasses.replace(SMALL, cascade=Cascade(1)), True, 100),
    "delay": (dataclasses.replace(SMALL, gate=Gate(600, 0, 2)), True, 3),
    "every_third": (dataclasses.replace(SMALL, cascade=Cascade(4, every=3)), True, 100),
    "every_third_in_full": (dataclasses.replace(SMALL, cascade=Cascade(4, every=3)), True, 2),
    "seldom": (dataclasses.replace(SMALL, cascade=Cascade(4, every=6)), True, 100),
    "votes": (dataclasses.replace(SMALL, votes=3), True, 100),
}


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    app, incremental, catch_up = VARIANTS[request.param]
    return build(tmp_path_factory.mktemp(request.param), app, incremental=incremental, catch_up=catch_up)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(pattern=st.lists(st.booleans(), max_size=40), seed=st.integers(0, 1000))
def test_any_sound_is_classified_as_the_stages_say(variant: Built, pattern: list[bool], seed: int) -> None:
    samples = windows(variant.app, pattern, seed)
    variant.pipeline.start()
    check_steps(variant.app, samples, list(variant.pipeline.steps(samples)))


def pattern_of(text: str) -> list[bool]:
    """L(oud) or quiet."""
    return [letter == "L" for letter in text]


def test_a_model_that_can_advance_is_asked_as_little_as_possible(tmp_path: Path) -> None:
    app = dataclasses.replace(SMALL, gate=Gate(600, 0, 0))
    built = build(tmp_path, app, incremental=True, catch_up=3)
    built.pipeline.start()
    built.model.calls()
    samples = windows(app, pattern_of("LLLLLLL.L..L...L"))
    steps = list(built.pipeline.steps(samples))
    check_steps(app, samples, steps)
    #    4th  5th  6th  7th  gap of 1: 2 missed  gap of 2: 3 missed, catch_up  gap of 3
    assert built.model.calls() == "r" + "af" * 3 + "aaf" + "r" + "r"
    full = [step.sequence for step in steps if step.decided and step.input is not None]
    assert full == [3, 11, 15]


def test_frames_that_left_the_cascade_force_a_run(tmp_path: Path) -> None:
    """Four are held: four missed can be caught up, five cannot, whatever catch_up says."""
    app = dataclasses.replace(SMALL, gate=Gate(600, 0, 0))
    built = build(tmp_path, app, incremental=True, catch_up=1000)
    built.pipeline.start()
    built.model.calls()
    samples = windows(app, pattern_of("...L...L....L"))
    check_steps(app, samples, list(built.pipeline.steps(samples)))
    assert built.model.calls() == "r" + "aaaaf" + "r"


def test_a_model_with_a_memory_hears_no_gap(tmp_path: Path) -> None:
    """Two windows that pass in a row are a decision; a gap is told once, however long, and forgets."""
    streaming = dataclasses.replace(
        SMALL, gate=Gate(600, 0, 0), cascade=Cascade(2, slide=False), streams=True
    )
    app = dataclasses.replace(streaming, mean=2)
    built = build(tmp_path, app)
    built.pipeline.start()
    built.model.calls()
    samples = windows(app, pattern_of("..LLLLL...LLLL.L.LL..."))
    steps = list(built.pipeline.steps(samples))
    _, _, frames = frames_of(app, samples)
    stretches = ((3, 5), (11, 13), (18,))
    assert [step.sequence for step in steps if step.decided] == [3, 5, 11, 13, 18]
    assert built.model.calls() == "rr" + "0" + "rr" + "0" + "0" + "r" + "0"
    for stretch in stretches:
        past = [[-128] * 3]
        for index in stretch:
            past.append(hashed(frames[index - 1 : index + 1], 3))
            means = [(older + newer) // 2 for older, newer in zip(*past[-2:], strict=True)]
            assert steps[index].score == max(means)


def test_a_reset_forgets_the_history(tmp_path: Path) -> None:
    built = build(tmp_path, SMALL, incremental=True, catch_up=1000)
    built.pipeline.start()
    samples = windows(SMALL, pattern_of("LLLLLL"))
    list(built.pipeline.steps(samples))
    built.pipeline.reset()
    built.model.calls()
    check_steps(SMALL, samples, list(built.pipeline.steps(samples)))
    assert built.model.calls() == "rafaf"


def test_an_engine_error_is_reported_and_the_next_decision_starts_from_scratch(tmp_path: Path) -> None:
    built = build(tmp_path, SMALL, incremental=True, catch_up=1000)
    built.model.fail(start=9)
    with pytest.raises(EngineError, match="9"):
        built.pipeline.start()
    built.model.fail(run=7)
    built.pipeline.start()
    with pytest.raises(EngineError, match="7 at window 3"):
        list(built.pipeline.steps(windows(SMALL, pattern_of("LLLL"))))
    built.model.fail()
    built.model.calls()
    (step,) = built.pipeline.steps(windows(SMALL, pattern_of("L"), seed=2))
    assert step.decided
    assert built.model.calls() == "r"


# The text


def test_other_settings_build_without_a_warning(tmp_path: Path) -> None:
    """One filter, one cepstrum (no cosines), no lifter, the largest FFT; ends of int32."""
    app = App(
        audio=Audio(48000),
        window=Window(1023, 256),
        mfcc=Mfcc(cepstra=1, filters=1, fft=1024, low_hz=0, high_hz=24000, lifter=0, preemphasis=1),
        scale=Scale(-(2**31), -(2**31) + 2**28),
        cascade=Cascade(frames=2),
        labels=("only",),
    )
    built = build(tmp_path, app)
    samples = windows(app, [True] * 12)
    check_steps(app, samples, list(built.pipeline.steps(samples)))


def test_generated_c_and_runtime_compile_for_a_cortex_m(tmp_path: Path) -> None:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is absent")
    for core in ("cortex-m0plus", "cortex-m4", "cortex-m33"):
        command = [compiler, f"-mcpu={core}", "-mthumb", *WARNINGS, "-O2", "-c"]
        command += [f"-I{FIRMWARE}", f"-I{tmp_path}", *map(str, SMALL.sources(tmp_path))]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


def test_the_text_holds_the_tables(tmp_path: Path) -> None:
    app = dataclasses.replace(App(), offset=127, input_scale=0.5, input_zero_point=3)
    (source, *_) = app.sources(tmp_path)
    found, made = tables(source.read_text()), mfcc_tables(app.audio, app.window, app.mfcc)
    assert found == {
        "povey": [*made.window],
        "twiddles": [*made.twiddles.stages, *made.twiddles.split],
        "bank": [number for pair in zip(made.bank.firsts, made.bank.counts, strict=True) for number in pair],
        "mel": [*made.bank.weights],
        "log2": [*made.log2],
        "log_add": [*made.log_add],
        "cosines": [number for row in made.dct.cosines for number in row],
        "lifter": [*made.lifter],
        "quantize": [max(-128, min(127, 2 * (u - 127) + 3)) for u in range(256)],
        "initial_limits": [77] * 4,
    }


@pytest.mark.parametrize(
    ("table", "entry"),
    [
        ("povey", 200),
        ("twiddles", 300),
        ("bank", 20),
        ("mel", 200),
        ("log2", 30),
        ("cosines", 20),
        ("lifter", 3),
        ("quantize", 127),
        ("initial_limits", 0),
    ],
)
def test_one_bit_of_the_generated_tables_changes_what_comes_out(
    table: str, entry: int, tmp_path: Path
) -> None:
    """And fails check_steps, which knows nothing of the generated text. log_add: test_table_bits.py."""
    app = dataclasses.replace(App(), gate=Gate(0, 0, 0), cascade=Cascade(2), threshold=Fraction(1, 2))
    samples = windows(app, [True] * 60)
    for changed in (False, True):
        folder = tmp_path / str(changed)
        folder.mkdir()
        (source, *_) = app.sources(folder)
        if changed:
            source.write_text(with_one_bit_changed(source.read_text(), table, entry))
        pipeline = HostLibrary(app.link(folder, source), app.spec).pipeline
        assert pipeline is not None
        steps = list(pipeline.steps(samples))
        if changed:
            with pytest.raises(AssertionError):
                check_steps(app, samples, steps)
        else:
            check_steps(app, samples, steps)


def with_one_bit_changed(text: str, table: str, entry: int) -> str:
    """The generated C with one bit of one number of a table changed."""
    start = text.index("= {", text.index(f" app_{table}["))
    number = list(re.finditer(r"-?\d+(?=[,}])", text[start:]))[entry]
    value = int(number[0]) ^ (64 if table in ("mel", "initial_limits") else 4)
    return text[:start] + text[start:][: number.start()] + str(value) + text[start:][number.end() :]


def test_lines_are_short_and_tables_aligned(tmp_path: Path) -> None:
    (source, *_) = App().sources(tmp_path)
    lines = source.read_text().splitlines()
    assert max(map(len, lines)) <= 110
    assert not [line for line in lines if line != line.rstrip()]
    assert "{{" not in source.read_text()
    assert "  1,   5}" in source.read_text()
