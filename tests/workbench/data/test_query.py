# SPDX-License-Identifier: Apache-2.0
"""Queries: which segments they mean, what there is of them, and the commands that are limited by them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.common.errors import UserError
from tests.support.cli import earshot, here
from workbench.audio.synthesize import write_session, write_wav
from workbench.commands.data import QUERY
from workbench.data.labels import own_rates, read_labels
from workbench.data.query import NONE, chosen, condition, save, statistics, stored
from workbench.training.sets import Labelled

RATE = 16_000
LINES = (
    "door.wav,0,8000,knocking,train,Ann,rain",
    "door.wav,8000,12000,Knocking,train,Ann,",
    "far/hall.wav,0,48000,mouse_click,test,Ben,sun",
    "night_1.wav,0,16000,unknown,,,",
)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (tmp_path / "far").mkdir()
    for name in ("door.wav", "night_1.wav"):
        write_wav(tmp_path / name, np.arange(-8000, 8000, dtype=np.int16))
    soundfile.write(tmp_path / "far" / "hall.wav", np.zeros(48_000, np.int16), 48_000)
    (tmp_path / "captures.csv").write_text("file,Device\ndoor.wav,xG24\nfar/hall.wav,phone\n")
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(["file,start,end,label,session,author,weather", *LINES]) + "\n")
    return file


@pytest.mark.parametrize(
    ("conditions", "lines"),
    [
        ([], [0, 1, 2, 3]),
        (["label=knocking"], [0, 1]),
        (["LABEL = unknown, MOUSE_click "], [2, 3]),
        (["label!=knocking,unknown"], [2]),
        (["device=xg24"], [0, 1]),
        (["device!=phone"], [0, 1, 3]),
        (["weather="], [1, 3]),
        (["session!="], [0, 1, 2]),
        (["file=night_*"], [3]),
        (["file=far/*"], [2]),
        (["file=*.wav"], [0, 1, 2, 3]),
        (["author=ann", "weather=rain"], [0]),
        (["label=*o*n*"], [0, 1, 3]),
        (["label=knock"], None),
        (["label=knock.ng"], None),
        (["author=ann", "weather=sun"], None),
    ],
)
def test_conditions(labels: Path, conditions: list[str], lines: list[int] | None) -> None:
    segments = read_labels(labels, RATE, own_rate=True)
    asked = [condition(text) for text in conditions]
    if lines is None:
        with pytest.raises(UserError, match="no segment meets"):
            chosen(segments, asked, labels)
    else:
        assert [one.line - 2 for one in chosen(segments, asked, labels)] == lines


def test_what_matches_nothing_is_refused(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*more: str) -> str:
        assert here("data", "query", labels, *more) == 2
        return capsys.readouterr().err

    message = said("--where", "device=nrf")
    assert f'{labels}: no segment meets "device=nrf"' in message
    assert f"Values of Device: {NONE}, phone, xG24." in message
    message = said("--where", "place=hall")
    assert "no segment has a column place" in message
    assert "Columns: file, label, role, session, author, Device, weather." in message
    assert '"knocking" is no condition' in said("--where", "knocking")
    assert '"=knocking" is no condition' in said("--where", "=knocking")
    message = said("--where", "author=Ann", "--where", "weather=sun")
    assert 'no segment meets "author=Ann" and "weather=sun" at once' in message
    assert "there is no query night: the file is missing" in said("--query", "night")
    assert "no segment has a column place" in said("--by", "place")
    assert "there is nothing to save" in said("--save", "all")


def test_statistics(labels: Path) -> None:
    """Counted by hand; seconds at each recording's own rate."""
    segments = read_labels(labels, RATE, own_rate=True)
    rows = [
        (row.value, row.segments, row.seconds, row.recordings, row.authors, dict(row.sessions))
        for row in statistics(segments, "device", own_rates(RATE))
    ]
    assert rows == [
        (NONE, 1, 1.0, 1, 0, {NONE: 1}),
        ("phone", 1, 1.0, 1, 1, {"test": 1}),
        ("xG24", 2, 0.75, 1, 1, {"train": 2}),
    ]


def test_the_command(labels: Path, tmp_path: Path) -> None:
    words = ("data", "query", labels, "--where", "session!=")
    done = earshot(*words, "--save", "named", "--plot", tmp_path / "bars.svg", "-o", tmp_path / "part.csv")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "3 of 4 segments, 2 s in 2 recordings"
    assert lines[2].split() == ["file", "segments", "seconds", "recordings", "authors", "test", "train"]
    assert lines[3].split() == ["door.wav", "2", "0.8", "1", "1", "0", "2"]
    part = (tmp_path / "part.csv").read_text().splitlines()
    assert part[0] == "file,start,end,label,session,author,Device,weather"
    assert part[3] == "far/hall.wav,0,48000,mouse_click,test,Ben,phone,sun"
    picture = (tmp_path / "bars.svg").read_text()
    for text in ("segments by label", "seconds by Device", "phone", "train"):
        assert f"<!-- {text} -->" in picture
    done = earshot("data", "query", labels, "--query", "named", "--by", "label", "--json")
    reported = json.loads(done.stdout)
    assert (reported["of"], reported["seconds"], set(reported["tables"])) == (4, 1.75, {"label"})
    assert [row["start"] for row in reported["segments"]] == [0, 8000, 0]
    assert reported["segments"][2]["Device"] == "phone"
    given = ("data", "export", labels, "--query", "named", "--format", "csv")
    assert here(*given, "-o", tmp_path / "b.csv") == 0
    assert (tmp_path / "b.csv").read_text().splitlines() == part


def test_queries_are_stored(labels: Path) -> None:
    file = labels.parent / "queries.toml"
    texts = ['label="a\\b"', "device!=phone,xG24"]
    assert save(labels, "kit", [condition(text) for text in texts]) == file
    save(labels.parent, "other", [condition("label=x")])
    assert tomllib.loads(file.read_text()) == {"kit": {"where": texts}, "other": {"where": ["label=x"]}}
    assert stored(labels, "kit") == [condition(text) for text in texts]
    with pytest.raises(UserError, match="has a query kit already"):
        save(labels, "kit", [condition("label=x")])
    with pytest.raises(UserError, match="is no name of a query"):
        save(labels, "a b", [condition("label=x")])
    with pytest.raises(UserError, match="there is no query none"):
        stored(labels, "none")
    assert len(tomllib.loads(file.read_text())) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nwhere = 3\n", r"line 1, \[a\]: a query has one key, where"),
        ("[a]\nwhere = []\n", "a query has one key, where"),
        ('[a]\nwhere = ["label=x"]\nsession = "x"\n', "a query has one key, where"),
        ('[a]\nwhere = ["label=x",\n "label"]\n', r'line 3, \[a\] where item 2: "label" is no condition'),
        ("a = 3\n", "there is no query a"),
        ("[a\n", "not TOML|usable TOML"),
    ],
)
def test_broken_queries(labels: Path, text: str, message: str) -> None:
    (labels.parent / "queries.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        stored(labels, "a")
    assert re.search(message, str(caught.value))


def test_commands_are_limited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the segments, by where they were recorded: of check, evaluate and train alike."""
    labels = write_session(tmp_path, 41, recordings=1, count=2, session="test")
    lines = labels.read_text().splitlines()
    rooms = [
        f"{line},{'room' if number == 0 else ('hall', 'yard')[number % 2]}"
        for number, line in enumerate(lines)
    ]
    labels.write_text("\n".join(rooms) + "\n")
    hall = [row for row in rooms if row.endswith("hall")]
    asked = (condition("room=hall"),)
    assert len(Labelled(labels, conditions=asked).segments(RATE)) == len(hall)
    app = ("--app", "examples/smart_lock")
    done = earshot("evaluate", *app, "--labels", labels, "--where", "room=hall", "--stream", "--json")
    assert done.returncode == 0, done.stderr
    events = json.loads(done.stdout)["events"]
    assert events["found"] + events["missed"] == sum(",unknown," not in row for row in hall)
    done = earshot("data", "check", labels, "--where", "room=hall", "--json")
    words = [one["what"] for one in json.loads(done.stdout)["findings"] if one["kind"] == "few"]
    knocks = sum(",knocking," in row for row in hall)
    assert f"{knocks} segments of knocking of the session test" in words
    for command in ("train", "tune", "evaluate"):
        assert here(command, *app, "--labels", labels, "--where", "room=attic") == 2
        assert 'no segment meets "room=attic"' in capsys.readouterr().err


def test_the_help_teaches_conditions() -> None:
    for words in ("label=knocking,mouse_click", "device!=phone", "[night]"):
        assert words in QUERY
