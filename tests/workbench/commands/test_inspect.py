# SPDX-License-Identifier: Apache-2.0
"""inspect: what it counts is what an image decides, and its picture has what it says."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from codegen.app.tables.decision import Score
from tests.support.cli import earshot, refused
from tests.support.tutorial import noises, tutorial_app, tutorial_library
from workbench.audio.synthesize import write_wav
from workbench.host.host_library import HostLibrary
from workbench.host.inspection import Mark, draw, inspect, summary


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> HostLibrary:
    folder = tmp_path_factory.mktemp("inspect")
    (folder / "code").mkdir()
    return tutorial_library(tutorial_app(folder / "door"), folder / "code")


def test_counts_are_those_of_the_steps(loaded: HostLibrary, tmp_path: Path) -> None:
    pipeline = loaded.pipeline
    assert pipeline is not None
    pipeline.set_threshold(-128)
    sound = noises(6)
    seen = inspect(pipeline, sound)
    pipeline.reset()
    steps = list(pipeline.steps(sound))
    decided = [step for step in steps if step.decided]
    assert seen.gate.tolist() == [step.gate_open for step in steps]
    assert seen.classes.tolist() == [step.class_index for step in decided]
    found = summary(pipeline.spec, seen)
    assert (found["windows"], found["decisions"]) == (len(steps), len(decided))
    assert sum(one["decisions"] for one in found["detections"]) == len(decided)  # nothing is below -128
    first = found["detections"][0]
    assert first["label"] == pipeline.spec.decision.labels[decided[0].class_index - 1]
    assert first["from"] == (decided[0].segment_start + decided[0].segment_length) / 16000

    picture = tmp_path / "seen.svg"
    marks = [Mark(1000, 9000, "knocking"), Mark(20_000, 30_000, "squirrel")]
    draw("a sound", pipeline.spec, Score(Fraction(1, 256), -128), seen, marks, file=picture)
    text = picture.read_text()
    for words in ("a sound", "knocking", "squirrel", "gate open", "features", "locking"):
        assert words in text
    short = inspect(pipeline, sound[:500])  # no decision, one window
    assert summary(pipeline.spec, short)["detections"] == []
    draw("short", pipeline.spec, Score(Fraction(1, 256), -128), short, [], file=tmp_path / "short.png")
    pipeline.start()


def test_command(tmp_path: Path) -> None:
    app, wav = Path("examples/smart_lock"), tmp_path / "door.wav"
    write_wav(wav, noises(3))  # with digital silence
    labels = tmp_path / "labels.csv"
    labels.write_text("file,start,end,label\ndoor.wav,16000,24000,knocking\n")
    words = ("inspect", "--app", app, wav, "--labels", labels)
    done = earshot(*words, "-o", tmp_path / "door.png", "--json", "--from", "0.5", "--to", "2")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert (reported["samples"], reported["windows"]) == (24_000, 60)
    assert (tmp_path / "door.png").stat().st_size > 10_000
    opened = json.loads(earshot(*words, "-o", tmp_path / "door.png", "--json", "--no-gate").stdout)
    assert opened["open"] == opened["windows"] == 120
    assert reported["open"] < reported["windows"]
    smooth = tmp_path / "smooth"
    shutil.copytree(app, smooth)
    text = (smooth / "pipeline.toml").read_text()
    (smooth / "pipeline.toml").write_text(text.replace("votes = 1", "votes = 1\nmean = 4"))
    done = earshot("inspect", "--app", smooth, wav, "-o", tmp_path / "smooth.svg")
    assert "thresholds hold for the mean of 4." in done.stdout
    assert "<!-- of the mean of 4 -->" in (tmp_path / "smooth.svg").read_text()
    for wrong in ("nan", "inf", "-inf"):
        assert f"found '{wrong}'; a number is allowed" in refused(*words, f"--to={wrong}")
    for first, last in (("2", "1"), ("-1", "1"), ("3", "4")):
        message = refused(*words, f"--from={first}", f"--to={last}")
        assert f"--from {first} --to {last} is no stretch of its 3 seconds" in message
    assert "is less than a sample" in refused(*words, "--from", "1", "--to", "1.00001")
    assert "is no picture by its name" in refused(*words, "-o", tmp_path / "door.txt")
