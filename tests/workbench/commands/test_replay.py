# SPDX-License-Identifier: Apache-2.0
"""earshot replay: what it says beside the lines, and what it takes from a pipe."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.cli import earshot
from toolbox.options import EXAMPLE
from workbench.audio.recording import read_audio, read_pipe
from workbench.commands.replay import summary

pytestmark = pytest.mark.xdist_group("images")

PIPELINE = load_spec(EXAMPLE).pipeline
assert PIPELINE is not None


def sound(seconds: float, loud: float = 4000.0) -> NDArray[np.int16]:
    """Noise."""
    return (np.random.default_rng(5).standard_normal(int(16000 * seconds)) * loud / 4).astype(np.int16)


def wav_bytes(samples: NDArray[np.int16], rate: int = 16000) -> bytes:
    """A recording as a program writes it into a pipe."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def piped(data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    """earshot replay of the example with this on its standard input."""
    command = [sys.executable, "-m", "workbench", "replay", "--app", str(EXAMPLE), *words]
    return subprocess.run(command, input=data, capture_output=True, cwd=ROOT, check=False)


def test_a_pipe_is_played_as_the_file_would_be(tmp_path: Path) -> None:
    samples = sound(1.0)
    file = tmp_path / "sound.wav"
    file.write_bytes(wav_bytes(samples))
    expected = earshot("replay", "--app", EXAMPLE, file)
    assert expected.stdout.count("ModelNumber") > 5
    for data in (wav_bytes(samples), samples.astype("<i2").tobytes()):
        done = piped(data, "-")
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode() == expected.stdout


def test_a_pipe_that_holds_no_recording_is_reported_by_its_name() -> None:
    for data, words in ((b"", "holds no samples"), (b"abc", "3 bytes"), (b"RIFF1234", "is not audio")):
        with pytest.raises(UserError, match=words) as raised:
            read_pipe(io.BytesIO(data), read_audio, 16000)
        assert str(raised.value).startswith("standard input: ")
    with pytest.raises(UserError, match="its sample rate is 8000 Hz"):
        read_pipe(io.BytesIO(wav_bytes(sound(0.1), 8000)), read_audio, 16000)
    done = piped(b"", "-", "-")
    assert (done.returncode, b"- is given twice" in done.stderr) == (2, True)


def test_several_recordings_are_kept_apart_in_both_forms(tmp_path: Path) -> None:
    files = [tmp_path / "a b.wav", tmp_path / "second.wav"]
    for file, seconds in zip(files, (1.0, 0.6), strict=True):
        file.write_bytes(wav_bytes(sound(seconds)))
    lines = [json.loads(line) for line in earshot("replay", "--app", EXAMPLE, *files).stdout.splitlines()]
    assert [line["recording"] for line in lines if "recording" in line] == [str(file) for file in files]
    done = earshot("replay", "--app", EXAMPLE, "--json", "--stages", *files)
    reported = json.loads(done.stdout)
    assert (reported["app"], reported["target"]) == ("smart_lock", "pc")
    at = 0
    for recording, file, samples in zip(reported["recordings"], files, (16000, 9600), strict=True):
        assert (recording["file"], recording["samples"]) == (str(file), samples)
        assert recording["windows"] == samples // 400
        gates = [line for line in recording["stages"] if line["stage"] == "gate"]
        assert len(gates) == recording["windows"]
        assert lines[at] == {"recording": str(file)}
        at += 1
        assert recording["decisions"] == lines[at : at + len(recording["decisions"])]
        at += len(recording["decisions"])
    assert at == len(lines)


def test_where_nothing_is_decided_it_says_why(tmp_path: Path) -> None:
    click = np.zeros(16000, np.int16)
    click[800] = 20000  # windows 2 to 7 pass, the cascade is full from window 14 on
    backoff = tmp_path / "short"
    backoff.mkdir()
    text = (EXAMPLE / "pipeline.toml").read_text()
    assert "backoff = 14" in text
    (backoff / "pipeline.toml").write_text(text.replace("backoff = 14", "backoff = 5"))
    (backoff / "model.tflite").write_bytes((EXAMPLE / "model.tflite").read_bytes())
    for name, samples, app, words in (
        (
            "silence.wav",
            np.zeros(16000, np.int16),
            EXAMPLE,
            "no decision in 40 windows: none was loud enough",
        ),
        ("short.wav", np.zeros(399, np.int16), EXAMPLE, "no decision in 0 windows: a window is 400 samples"),
        (
            "click.wav",
            click,
            backoff,
            "no decision in 40 windows: 6 passed the gate, none while the cascade of 15 was full",
        ),
    ):
        file = tmp_path / name
        file.write_bytes(wav_bytes(samples))
        done = earshot("replay", "--app", app, file)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert f"{file}: {words}" in done.stderr
        assert ("backoff = 5 lets 6 windows of a short sound pass" in done.stderr) == (app == backoff)


def test_unknown_is_not_a_class_of_that_name() -> None:
    decisions = [{"Label": label} for label in ("Unknown", "unknown", "knocking", "Unknown")]
    reported = {"file": "x.wav", "samples": 16000, "windows": 40, "decisions": decisions}
    assert PIPELINE is not None
    assert (
        summary(reported, PIPELINE, None)
        == "x.wav: 4 decisions in 40 windows: 2 Unknown (below threshold), 1 unknown, 1 knocking"
    )
