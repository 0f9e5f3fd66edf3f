# SPDX-License-Identifier: Apache-2.0
"""Events found in recordings: where, above which threshold; and `earshot data detect`, which labels them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.bursts import LENGTH, RATE, SECOND, sound
from toolbox.options import EXAMPLE
from workbench.cli import main
from workbench.data.detect import Stretch, events, threshold
from workbench.data.labels import read_labels


@pytest.mark.parametrize(
    ("seconds", "bursts"),
    [(1.25, ((3200, 4000), (14000, 14800))), (1.0, ((1000, 1800), (13000, 13800)))],
)
def test_an_event_within_the_segment_before_gets_none(
    seconds: float, bursts: tuple[tuple[int, int], ...]
) -> None:
    """No segment is empty, or lies over silence behind its event."""
    heard = sound(seconds, *((start, end, 5000) for start, end in bursts))
    (only,) = events(heard, RATE, 1000, SECOND)
    assert only.start <= bursts[0][0]
    assert only.end >= bursts[1][1]


def test_a_segment_lies_around_each_event() -> None:
    heard = sound(10, (SECOND, SECOND + 5, 5000), (3 * SECOND + 77, 3 * SECOND + 80, -32768))
    lead = LENGTH // 5
    assert events(heard, RATE, 600, LENGTH) == [
        Stretch(SECOND - lead, SECOND - lead + LENGTH),
        Stretch(3 * SECOND + 77 - lead, 3 * SECOND + 77 - lead + LENGTH),
    ]
    assert events(heard, RATE, 5000, LENGTH) == [
        Stretch(3 * SECOND + 77 - lead, 3 * SECOND + 77 - lead + LENGTH)
    ]  # as loud as the threshold is not louder
    assert events(heard, RATE, 32768, LENGTH) == []


def test_what_is_near_is_one_event_and_no_segment_lies_over_another() -> None:
    knocks = [(SECOND + at, SECOND + at + 100, 9000) for at in (0, 4000, 11000)]
    (one,) = events(sound(4, *knocks), RATE, 600, LENGTH)
    assert one.start == SECOND - LENGTH // 5
    assert 11100 <= one.end - SECOND < 11100 + RATE // 100
    long = events(sound(4, (8000, 9000, 900), (18000, 18001, 900)), RATE, 600, 2 * LENGTH)
    assert [(piece.start, piece.end) for piece in long] == [(4800, 20800)]  # it holds both
    apart = events(sound(4, (8000, 9000, 900), (20000, 21001, 900)), RATE, 600, 2 * LENGTH)
    assert [(piece.start, piece.end) for piece in apart] == [(4800, 20800), (20800, 36800)]
    ends = events(sound(1, (10, 11, 900), (SECOND - 5, SECOND, 900)), RATE, 600, LENGTH)
    assert [(piece.start, piece.end) for piece in ends] == [(0, 8000), (SECOND - 5 - LENGTH // 5, SECOND)]


def test_the_threshold_is_that_of_the_noise_the_app_or_the_recording() -> None:
    heard = sound(10, (SECOND, 2 * SECOND, 700), (3 * SECOND, 3 * SECOND + 9, -4000))
    assert threshold(heard, RATE, Stretch(SECOND, 2 * SECOND), 600) == 1400
    assert threshold(heard, RATE, None, 600) == 600
    assert threshold(heard, RATE, None, None) == threshold(heard, RATE, None, -1) == 60
    silent = np.zeros(RATE, np.int16)
    assert threshold(silent, RATE, Stretch(0, 9), None) == 2
    assert events(silent, RATE, threshold(silent, RATE, None, None), LENGTH) == []


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder with two events in one recording, none in another, at another rate."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    knocks = [(at * SECOND, at * SECOND + 9, 9000) for at in (1, 3)]
    soundfile.write(folder / "door.wav", sound(5, *knocks), RATE)
    soundfile.write(folder / "quiet.flac", sound(2), 8000)
    return folder


def detect(folder: Path, *words: str) -> int:
    """The command on all recordings of the folder."""
    return main(["data", "detect", str(folder), "-o", str(folder / "labels.csv"), "--label", "knock", *words])


def test_events_are_labelled_once(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect(recordings) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  door.wav    2 events louder than 60",
        "  quiet.flac  0 events louder than 60",
        f'Added to {recordings / "labels.csv"}: 2 segments "knock"',
    ]
    starts = [at * SECOND - LENGTH // 5 for at in (1, 3)]
    table = recordings / "labels.csv"
    rows = "".join(f"door.wav,{at},{at + LENGTH},knock\n" for at in starts)
    assert table.read_text() == f"file,start,end,label\n{rows}"
    assert detect(recordings) == 0
    assert "2 of them in a segment already" in capsys.readouterr().out
    assert table.read_text() == f"file,start,end,label\n{rows}"


def test_what_is_in_the_table_stays(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = recordings / "labels.csv"
    there = "file; start; end; label; session; who\ndoor.wav; 47999; 48001; click; test; Ann\n"
    table.write_text(there)
    assert detect(recordings, "--json", "--seconds", "0.25") == 0
    (door, quiet) = json.loads(capsys.readouterr().out)["recordings"]
    assert (door["events"], door["added"], quiet["events"]) == (2, 1, 0)
    assert table.read_text().startswith(there)
    new = read_labels(table, RATE)[-1]
    assert (new.start, new.end, new.label, new.session) == (15200, 19200, "knock", "train")


def test_the_threshold_is_the_one_given_or_that_of_the_app(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert detect(recordings, "--threshold", "9000") == 0
    assert "0 events louder than 9000" in capsys.readouterr().out
    assert detect(recordings, "--app", str(EXAMPLE)) == 0
    assert "2 events louder than 600" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--threshold", "0"), "--threshold is 1 to 32767"),
        (("--seconds", "0"), "--seconds is 0.01 to 3600"),
        (("--label", ""), "the label is empty"),
        (("--label", "a\nb"), "is no label"),
        (("-o", "labels.txt"), "labels.txt: is no .csv"),
        (("-o", "nowhere/labels.csv"), "nowhere: there is no such folder"),
        (("-o", "deep/labels.csv"), "does not lie below"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    recordings: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(recordings)
    (recordings / "deep").mkdir()
    assert detect(recordings, *words) == 2
    assert said in capsys.readouterr().err
    assert not list(recordings.rglob("*.csv"))


def test_a_table_with_a_broken_line_is_not_touched(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = recordings / "labels.csv"
    table.write_text("file,start,end,label\ndoor.wav,nine,10,knock\n")
    assert detect(recordings) == 2
    assert f"{table}, line 2" in capsys.readouterr().err
    assert table.read_text().count("\n") == 2
