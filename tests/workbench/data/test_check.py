# SPDX-License-Identifier: Apache-2.0
"""data check: each kind of finding in recordings made to have it, none in others."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.support.cli import earshot, refused
from workbench.audio import recording as audio
from workbench.audio.recording import Reader, read_audio
from workbench.audio.synthesize import write_session, write_wav
from workbench.commands import data
from workbench.commands.data import CHECK
from workbench.data.check_audio import longest_run
from workbench.data.findings import FEWEST, KINDS, of_labels
from workbench.data.segment import Segment, find_class
from workbench.training.second_hearing import improbable

EXAMPLE = Path("examples/smart_lock")
HEADER = "file,start,end,label,session,author,device"


def noise(seed: int, samples: int = 8000, peak: int = 3000) -> NDArray[np.int16]:
    sound = np.random.default_rng(seed).uniform(-peak, peak, samples)
    return np.asarray((sound - sound.mean()).astype(np.int16))


@pytest.fixture
def rows(tmp_path: Path) -> list[str]:
    """Two sessions, two classes, four people, a recording a segment: nothing is wrong with them."""
    made: list[str] = []
    for session in ("train", "test"):
        for label in ("knocking", "unknown"):
            for number in range(FEWEST):
                name = f"{session}_{label}_{number}.wav"
                write_wav(tmp_path / name, noise(len(made)))
                made.append(f"{name},0,8000,{label},{session},{session}{number % 4},{session}")
    return made


def found(folder: Path, rows: list[str], *options: str) -> dict[str, list[str]]:
    """Place and words of the findings of each kind."""
    labels = folder / "labels.csv"
    labels.write_text("\n".join([HEADER, *rows]) + "\n")
    parser = argparse.ArgumentParser()
    data.arguments(parser)
    kinds: dict[str, list[str]] = {}
    for one in data.findings_of(parser.parse_args(["check", str(labels), *options])):
        assert one.remedy
        kinds.setdefault(one.kind, []).append(f"{one.place}: {one.what}")
    return kinds


def test_nothing_wrong(tmp_path: Path, rows: list[str]) -> None:
    assert found(tmp_path, rows) == {}
    done = earshot("data", "check", tmp_path / "labels.csv")
    assert (done.returncode, done.stdout) == (0, "nothing is wrong with them\n")


Change = Callable[[Path, list[str]], object]


def _write(name: str, sound: NDArray[np.int16]) -> Change:
    return lambda folder, _: write_wav(folder / name, sound)


def _row(index: int, old: str, new: str) -> Change:
    def change(_: Path, rows: list[str]) -> None:
        assert old in rows[index]
        rows[index] = rows[index].replace(old, new)

    return change


def _twin(folder: Path, rows: list[str]) -> None:
    (folder / "test_knocking_3.wav").write_bytes((folder / "train_knocking_1.wav").read_bytes())


def _part(folder: Path, rows: list[str]) -> None:
    write_wav(folder / "test_knocking_3.wav", np.concatenate([noise(99, 500), noise(1)]))
    rows[FEWEST * 2 + 3] = rows[FEWEST * 2 + 3].replace(",0,8000", ",500,8500")


def _offset(folder: Path, _: list[str]) -> None:
    write_wav(folder / "train_knocking_0.wav", (noise(0).astype(np.int32) + 700).astype(np.int16))


def _clipped(folder: Path, _: list[str]) -> None:
    sound = noise(0)
    sound[100:104] = [32767, -32768, 32767, 32767]
    write_wav(folder / "train_knocking_0.wav", sound)


def _fast(folder: Path, _: list[str]) -> None:
    soundfile.write(folder / "train_knocking_0.wav", noise(0, 24_000), 48_000)


def _cut(folder: Path, _: list[str]) -> None:
    (folder / "train_knocking_0.wav").write_bytes(b"RIFF")


def _rare(_: Path, rows: list[str]) -> None:
    del rows[0]


def _one_person(_: Path, rows: list[str]) -> None:
    for index in range(FEWEST):
        rows[index] = rows[index].replace(f",train{index % 4},", ",train0,")


CASES: list[tuple[Change, str, str]] = [
    (_row(0, "0,8000", "x,8000"), "broken", 'labels.csv, line 2: start is "x"'),
    (_row(0, ".wav", ".ogg"), "broken", "line 2: there is no recording"),
    (_cut, "broken", "train_knocking_0.wav (labels.csv, line 2): "),
    (_fast, "format", "train_knocking_0.wav (labels.csv, line 2): "),
    (_row(0, "8000", "8001"), "range", "line 2: the segment ends at sample 8001, its recording at 8000"),
    (
        _row(1, "train_knocking_1.wav,0", "train_knocking_0.wav,7000"),
        "overlap",
        'line 3: "knocking" of train shares samples 7000 to 8000 with',
    ),
    (_row(FEWEST * 2, "test_knocking_0.wav", "train_knocking_0.wav"), "overlap", "of line 2"),
    (
        _row(FEWEST * 2, "test_knocking_0.wav", "train_knocking_0.wav"),
        "both",
        "recording train_knocking_0.wav: in the sessions",
    ),
    (_row(FEWEST * 2, "test0", "train0"), "both", "author train0: in the sessions test and train"),
    (
        _row(FEWEST * 2, ",test0,test", ",test0,train"),
        "device",
        "device train: in the sessions test and train",
    ),
    (_twin, "duplicate", "test_knocking_3.wav has the same samples as train_knocking_1.wav"),
    (_part, "duplicate", "the same samples as train_knocking_1.wav from 0 (line 3)"),
    (_clipped, "clipping", "line 2: 4 samples in a row are at full scale"),
    (
        _write("train_knocking_0.wav", np.full(8000, 7, np.int16)),
        "silence",
        "line 2: all samples of the segment are 7",
    ),
    (_write("train_knocking_0.wav", noise(0, peak=40)), "silence", "line 2: its peak is "),
    (_offset, "dc", "train_knocking_0.wav (labels.csv, line 2): its mean is "),
    (_rare, "few", f"{FEWEST - 1} segments of knocking of the session train"),
    (_one_person, "few", f"all {FEWEST} knocking of the session train are of 1 author or recording"),
]


@pytest.mark.parametrize(("change", "kind", "words"), CASES)
def test_each_kind(tmp_path: Path, rows: list[str], change: Change, kind: str, words: str) -> None:
    change(tmp_path, rows)
    kinds = found(tmp_path, rows)
    assert any(words in one for one in kinds[kind]), kinds
    assert kind not in found(tmp_path, rows, "--accept", kind)


def test_exit_code(tmp_path: Path, rows: list[str]) -> None:
    _row(FEWEST * 2, ",test0,test", ",test0,train")(tmp_path, rows)
    found(tmp_path, rows)
    done = earshot("data", "check", tmp_path / "labels.csv")  # a hint fails nothing
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 to mend, 1 to look at")
    _rare(tmp_path, rows)
    found(tmp_path, rows)
    done = earshot("data", "check", tmp_path / "labels.csv", "--json")
    reported = json.loads(done.stdout)
    assert (done.returncode, reported["ok"], reported["counts"]) == (1, False, {"device": 1, "few": 1})
    assert reported["findings"][-1]["remedy"].startswith("Record more")


def test_every_kind_is_told() -> None:
    assert all(kind in CHECK for kind in KINDS)
    assert {kind for _, kind, _ in CASES} | {"label", "noise"} == set(KINDS)


def test_all_broken_lines_at_once(tmp_path: Path, rows: list[str]) -> None:
    broken = [row.replace(",0,8000", ",0,") for row in rows]
    assert len(found(tmp_path, broken)["broken"]) == len(rows)


def test_with_an_app(tmp_path: Path, rows: list[str]) -> None:
    rows[0] = rows[0].replace("knocking,train,", "squirrel,train,")
    write_wav(tmp_path / "train_knocking_1.wav", noise(1, peak=590))
    app = tmp_path / "app"  # before anything is trained: it has no model
    app.mkdir()
    shutil.copyfile(EXAMPLE / "pipeline.toml", app / "pipeline.toml")
    kinds = found(tmp_path, rows, "--app", str(app), "--accept", "few")
    assert kinds["label"] == [
        'labels.csv, line 2: "squirrel" is no class of the app; its classes are '
        "keyboard_typing, knocking, mouse_click, unknown"
    ]
    assert len(kinds["silence"]) == 1
    assert "the app's gate opens above 600" in kinds["silence"][0]


def test_a_wrong_label_is_worth_a_second_hearing(tmp_path: Path) -> None:
    labels = write_session(tmp_path, 11, recordings=4, count=6, session="train")
    lines = labels.read_text().splitlines()
    wrong = next(index for index, line in enumerate(lines) if ",knocking," in line)
    lines[wrong] = lines[wrong].replace(",knocking,", ",mouse_click,")
    labels.write_text("\n".join(lines) + "\n")
    done = earshot("data", "check", labels, "--app", EXAMPLE, "--json")
    doubtful = [one for one in json.loads(done.stdout)["findings"] if one["kind"] == "noise"]
    assert any(
        f"line {wrong + 1}," in one["place"] and "sounds like knocking" in one["what"] for one in doubtful
    )
    assert len(doubtful) < len(lines) / 4
    assert not any(one["fails"] for one in doubtful)


def test_each_recording_is_read_once(
    tmp_path: Path, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reader(_: argparse.Namespace) -> Reader:
        def counted(file: Path, rate: int) -> NDArray[np.int16]:
            read.append(file.name)
            return read_audio(file, rate)

        return counted

    monkeypatch.setattr(audio, "reader", reader)
    found(tmp_path, rows, "--app", str(EXAMPLE))
    assert sorted(read) == sorted(row.split(",")[0] for row in rows)


def test_the_class_of_a_label_is_the_app_s(tmp_path: Path, rows: list[str]) -> None:
    """As training takes it: by label, else by role, in upper or lower case where that leaves one class."""
    labels = ("unknown", "Knocking", "knocKing")
    segment = Segment(tmp_path / "a.wav", 0, 8000, "KNOCKING", "Unknown")
    assert find_class(segment, labels) == 0
    assert find_class(dataclasses.replace(segment, role=""), labels) is None
    kinds = {one.kind for one in of_labels([dataclasses.replace(segment, role="")], labels)}
    assert "label" in kinds
    assert "label" not in {one.kind for one in of_labels([segment], labels)}


def test_neighbours_of_the_own_group_say_nothing() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(0, 1, (60, 3)), random.normal(9, 1, (60, 3))])
    labels = [0] * 60 + [1] * 60
    groups = [f"{number % 6}" for number in range(120)]
    assert improbable(values, labels, groups) == []
    labels[5] = 1
    assert improbable(values, labels, groups) == [(5, 0, 19)]  # a third of the smaller class
    assert improbable(values, labels, ["all"] * 120) == []


def test_longest_run() -> None:
    flags = [[], [False], [True], [True, True, False, True], [False, True, True, True]]
    assert [longest_run(np.array(one, np.bool_)) for one in flags] == [0, 0, 1, 2, 3]


def test_what_is_no_label_file(tmp_path: Path) -> None:
    assert "there is no such file" in refused("data", "check", tmp_path / "none.csv")
    assert "--accept loud is no kind" in refused("data", "check", tmp_path / "none.csv", "--accept", "loud")
