# SPDX-License-Identifier: Apache-2.0
"""earshot demo: what a newcomer sees first."""

from __future__ import annotations

import re
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.app.tables.decision import ANOMALY_NEVER, Score
from tests.support.cli import earshot, refused
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import demo_recordings, write_session
from workbench.commands.demo import Heard, events, sentence, silence
from workbench.data.labels import read_labels
from workbench.protocol.lines import Decision


def decision(sequence: int, label: str, score: int) -> Decision:
    """Of a 15-window cascade whose newest window is `sequence`."""
    classes = ("Unknown", "knock", "click")
    return Decision(0, classes.index(label), 400 * (sequence - 14), 6000, label, score, sequence)


def test_decisions_about_one_sound_are_one_event() -> None:
    heard = events(
        [
            decision(40, "knock", 90),
            decision(41, "Unknown", -10),  # unsure for a moment
            decision(42, "knock", 120),
            decision(43, "click", 80),
            decision(44, "click", 70),
            decision(58, "click", 60),  # the window of decision 44 is the oldest that it hears
            decision(73, "click", 75),  # this one hears nothing of that any more
            decision(74, "Unknown", -20),
            decision(75, "knock", 65),
            decision(76, "click", 66),  # of other sound, as far as the model is concerned
        ],
        16000,
    )
    assert list(heard) == [
        Heard(41 * 400 / 16000, "knock", True, 120, 2),  # window 40 ends after 41 windows of 25 ms
        Heard(44 * 400 / 16000, "click", True, 80, 3),
        Heard(74 * 400 / 16000, "click", True, 75, 1),
        Heard(76 * 400 / 16000, "knock", True, 65, 1),
        Heard(77 * 400 / 16000, "click", True, 66, 1),
        Heard(42 * 400 / 16000, "Unknown", False, -10, 2),
    ]


def test_a_share_is_what_the_score_means() -> None:
    softmax = Score(Fraction(1, 256), -128)
    assert sentence(Heard(1.5, "knock", True, 72, 3), softmax).split() == ["1.50", "s", "knock", "78.1%", "3"]


def test_of_an_anomaly_the_error_is_told() -> None:
    error = Score(Fraction(1, 8), 0, ANOMALY_NEVER)
    assert sentence(Heard(1.5, "broken", True, 100, 3), error).split() == ["1.50", "s", "broken", "12.5", "3"]


def test_what_is_left_out_is_reported() -> None:
    heard = [Heard(0, "knock", True, 90, 3), Heard(1, "Unknown", False, 10, 4)]
    assert silence(heard) == "in 4 of 7 decisions no class reached its threshold"
    assert silence([]) == "nothing: no window was loud enough"


def test_the_demo_of_an_app_plays_its_recordings(tmp_path: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    app = tmp_path / "demo_app"
    shutil.copytree(EXAMPLE, app, ignore=shutil.ignore_patterns("suites.toml"))
    labels = write_session(app / "recordings", 3, recordings=1, count=2, session="test")
    done = earshot("demo", "--app", app)
    assert done.returncode == 0, done.stderr
    assert "Playing the app's recordings into it." in done.stdout
    played = re.findall(r"^  (\w+)\.wav: (\w+), ", done.stdout, re.MULTILINE)
    assert len(played) == 4
    assert all(label in name for name, label in played)
    assert f"--app {app} " in done.stdout
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\n')
    (bare / "model.tflite").write_bytes((EXAMPLE / "model.tflite").read_bytes())
    assert "is a bare model" in refused("demo", "--app", bare)
    soundfile.write(labels.parent / "fast.wav", np.zeros((9000, 2)), 44_100)
    assert "Add --resample --mix-down" in refused("demo", labels.parent / "fast.wav")


def test_the_demo_hears_something_in_the_emulator() -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    done = earshot("demo")
    assert done.returncode == 0, done.stderr
    assert re.search(r"The image takes [\d,]+ bytes of flash", done.stdout)
    assert re.search(r"GNU build id [0-9a-f]{40}\.", done.stdout)
    assert re.search(r"^ +\d+\.\d\d s   knocking +\d\d\.\d% +\d+$", done.stdout, re.MULTILINE), done.stdout
    assert len(re.findall(r"in \d+ of \d+ decisions no class", done.stdout)) == 4


def test_each_knock_of_the_demo_is_heard_once_and_none_in_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the sounds that a newcomer hears of: their events begin where the program put them."""
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    monkeypatch.setenv("EARSHOT_SHARED", "/nowhere")
    done = earshot("demo")
    assert done.returncode == 0, done.stderr
    heard: dict[str, list[tuple[float, str]]] = {}
    for line in done.stdout.splitlines():
        if played := re.match(r"  (\w+)\.wav, ", line):
            lines = heard[played[1]] = []
        elif event := re.match(r" +(\d+\.\d+) s   (\w+) ", line):
            lines.append((float(event[1]), event[2]))
    assert {label for _, label in heard["knocks"]} == {"knocking"}
    assert {label for _, label in heard["noise"]} == {"unknown"}
    demo_recordings(tmp_path)
    knocks = [one for one in read_labels(tmp_path / "labels.csv", 16000) if one.label == "knocking"]
    assert len(heard["knocks"]) == len(knocks) == 5
    for (second, _), knock in zip(heard["knocks"], knocks, strict=True):
        assert 0 < second - knock.start / 16000 < 1.0
