# SPDX-License-Identifier: Apache-2.0
"""The streaming task by a command: a recording goes into the image of an app, detections come out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from tests.support.benchmark import streaming_app
from tests.support.cli import earshot, here
from tests.support.tutorial import noises
from workbench.audio.synthesize import write_wav
from workbench.mlperf.streaming import Detection, detections

STRIDE = 512


def test_frames_in_a_row_are_one_detection() -> None:
    assert detections([0, 116, 127, 115, 116, -128, 116], 116) == [
        Detection(1, 2, 127),
        Detection(4, 1, 116),
        Detection(6, 1, 116),
    ]
    assert detections([], 0) == detections([5], 6) == []


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "my_sww"
    folder.mkdir()
    return streaming_app(folder, threshold=0)


def test_a_recording_is_heard_to_its_last_whole_stride(
    app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every frame reaches a threshold of 0; what is too short is told."""
    write_wav(tmp_path / "sound.wav", noises(1.0))
    words = ("mlperf", "run", app, "--task", "sww", "--target", "pc", "--wav")
    assert here(*words, tmp_path / "sound.wav") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "31 frames; wake_word was heard once (scores from -128 on)"
    assert out[1].startswith("  at 0.032 s, 31 frames, score ")
    write_wav(tmp_path / "short.wav", noises(1.0)[: STRIDE - 1])
    assert here(*words, tmp_path / "short.wav") == 2
    assert "short.wav: it has 511 samples; a frame takes 512" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("my_sww",), "the task sww hears a recording"),
        (("my_sww", "--wav", "a.wav", "--count", "3"), "the task sww takes a recording alone"),
        (("model.tflite", "--wav", "a.wav"), "is a model alone; the task sww of MLPerf Tiny needs an app"),
        (("my_sww", "--wav", "none.wav"), "none.wav"),
        (("bare", "--wav", "a.wav"), "is a model alone; the task sww of MLPerf Tiny needs an app"),
        (("my_sww", "--wav", "a.wav", "--runner", "tiny", "--channel", "right"), "takes its left channel"),
        (("my_sww", "--wav", "b.wav", "--runner", "tiny", "--channel", "left"), "b.wav: there is no such"),
    ],
)
def test_what_cannot_be_heard_is_told(
    app: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(app.parent)
    (app.parent / "bare").mkdir()
    (app.parent / "bare" / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\n')
    (app.parent / "bare" / "model.tflite").write_bytes((app / "sww.tflite").read_bytes())
    runner = app.parent / "tiny" / "benchmark" / "runner"
    runner.mkdir(parents=True)
    (runner / "main.py").touch()
    assert here("mlperf", "run", *words, "--task", "sww", "--target", "pc") == 2
    assert told in capsys.readouterr().err


def test_the_benchmarks_own_driver_hears_the_same(tmp_path: Path) -> None:
    """The example with the reference model, on the recording of the benchmark: two of three wake words."""
    if "EARSHOT_MLPERF" not in os.environ:
        pytest.skip("EARSHOT_MLPERF names no checkout of mlcommons/tiny")
    tiny = Path(os.environ["EARSHOT_MLPERF"])
    folder = tmp_path / "mlperf_sww"
    folder.mkdir()
    text = (ROOT / "examples" / "mlperf_sww" / "pipeline.toml").read_text()
    (folder / "pipeline.toml").write_text(text)
    model = tiny / "benchmark/training/streaming_wakeword/trained_models/str_ww_ref_model.tflite"
    (folder / "model.tflite").write_bytes(model.read_bytes())
    wav = tiny / "benchmark/runner/sd_card/short_wav_easy10s.wav"
    words = ("mlperf", "run", folder, "--task", "sww", "--target", "pc", "--wav", wav, "--channel", "left")
    own, theirs = (earshot(*words, *more) for more in ((), ("--runner", tiny, "-o", tmp_path / "run")))
    assert (own.returncode, theirs.returncode) == (0, 0), own.stderr + theirs.stderr
    assert own.stdout.splitlines()[0].startswith("312 frames; wake_word was heard 2 times")
    assert theirs.stdout.splitlines()[1:3] == own.stdout.splitlines()[1:]
