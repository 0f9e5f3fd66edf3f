# SPDX-License-Identifier: Apache-2.0
"""Labels of other programs: as their documentation defines them, and both ways."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.common.errors import UserError
from tests.support.cli import earshot, here, refused
from workbench.audio.synthesize import write_wav
from workbench.data.labels import Segment, read_labels, write_labels
from workbench.data.regions import windows

RATE = 16000
Rows = list[tuple[str, int, int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("door.wav", "hall.wav"):
        write_wav(tmp_path / name, np.arange(-20_000, 20_000, dtype=np.int16))
    return tmp_path


def rows(segments: Iterable[Segment]) -> Rows:
    return [(one.file.name, one.start, one.end, one.label, one.session) for one in segments]


# Reading


def test_raven_selection_table(folder: Path) -> None:
    """Of a selection's rows, one a view, one counts; the label's column has a name of the user's."""
    table = folder / "door.Table.1.selections.txt"
    table.write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\t"
        "Low Freq (Hz)\tHigh Freq (Hz)\tSpecies\r\n"
        "1\tWaveform 1\t1\t0.500000000\t1.000000000\t0.0\t8000.0\tknocking\r\n"
        "1\tSpectrogram 1\t1\t0.500000000\t1.000000000\t120.5\t3000.0\tknocking\r\n"
        "2\tSpectrogram 1\t1\t1.250000000\t1.750000000\t120.5\t3000.0\tmouse click\r\n"
    )
    assert rows(read_labels(table, RATE)) == [
        ("door.wav", 8000, 16000, "knocking", ""),
        ("door.wav", 20000, 28000, "mouse click", ""),
    ]


def test_raven_table_of_several_files(folder: Path) -> None:
    """Begin times count from the first file on; the offset is that within the file."""
    table = folder / "both.txt"
    table.write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tBegin File\tFile Offset (s)\tCall Note\n"
        "1\tSpectrogram 1\t1\t0.5\t1.0\tdoor.wav\t0.5\tknocking\n"
        "2\tSpectrogram 1\t1\t3.0\t3.5\thall.wav\t0.5\tknocking\n"
    )
    assert rows(read_labels(table, RATE)) == [
        ("door.wav", 8000, 16000, "knocking", ""),
        ("hall.wav", 8000, 16000, "knocking", ""),
    ]


def region(start: float, end: float, label: str) -> dict[str, object]:
    value = {"start": start, "end": end, "channel": 0, "labels": [label]}
    return {
        "original_length": 2.5,
        "value": value,
        "id": "wavesurfer_1",
        "from_name": "label",
        "to_name": "audio",
        "type": "labels",
        "origin": "manual",
    }


def test_label_studio(folder: Path) -> None:
    tasks = [
        {
            "id": 7,
            "annotations": [
                {"id": 3, "was_cancelled": True, "result": [region(0, 1, "typing")]},
                {
                    "id": 4,
                    "was_cancelled": False,
                    "result": [
                        region(0.5, 1.0, "knocking"),
                        {"value": {"text": ["loud"]}, "type": "textarea", "from_name": "note"},
                    ],
                },
            ],
            "predictions": [],
            "file_upload": "1a2b3c4d-door.wav",
            "data": {"audio": "/data/upload/1/1a2b3c4d-door.wav", "room": "hall"},
        },
        {
            "id": 8,
            "data": {"audio": "/data/local-files/?d=sounds/hall.wav"},
            "predictions": [{"result": [region(1, 1.5, "x")]}],
        },
    ]
    file = folder / "export.json"
    file.write_text(json.dumps(tasks))
    expected = [("door.wav", 8000, 16000, "knocking", ""), ("hall.wav", 16000, 24000, "x", "")]
    assert rows(read_labels(file, RATE)) == expected
    small = [
        {
            "audio": "/data/upload/1/1a2b3c4d-door.wav",
            "id": 7,
            "label": [{"start": 0.5, "end": 1.0, "channel": 0, "labels": ["knocking"]}],
        },
        {"audio": "http://localhost/hall.wav", "id": 8, "label": [{"start": 1, "end": 1.5, "labels": ["x"]}]},
    ]
    file.write_text(json.dumps(small))
    assert rows(read_labels(file, RATE)) == expected


def test_sensiml_project(folder: Path) -> None:
    """Ends are inclusive there; a file has metadata and sessions."""
    project = [
        {
            "file_name": "door.wav",
            "metadata": [{"name": "device", "value": "xG24"}, {"name": "person", "value": "Ann"}],
            "sessions": [
                {
                    "session_name": "train",
                    "segments": [{"name": "Label", "value": "knocking", "start": 8000, "end": 15999}],
                },
                {
                    "session_name": "test",
                    "segments": [{"name": "Label", "value": "knocking", "start": 20000, "end": 27999}],
                },
            ],
        }
    ]
    file = folder / "project.json"
    file.write_text(json.dumps(project))
    segments = read_labels(file, RATE)
    assert rows(segments) == [
        ("door.wav", 8000, 16000, "knocking", "train"),
        ("door.wav", 20000, 28000, "knocking", "test"),
    ]
    assert dict(segments[0].metadata)["device"] == "xG24"
    assert segments[0].group == "Ann"


def test_what_is_known_of_a_recording(folder: Path) -> None:
    labels = folder / "labels.csv"
    labels.write_text("file,start,end,label,weather\ndoor.wav,0,8000,knocking,rain\nhall.wav,0,8000,x,\n")
    (folder / "captures.csv").write_text("file,device,person\ndoor.wav,xg24,Ann\n")
    door, hall = read_labels(labels, RATE)
    assert dict(door.metadata) == {"device": "xg24", "person": "Ann", "weather": "rain"}
    assert (door.author, hall.author, hall.metadata) == ("Ann", "", ())
    for text, message in (
        ("device\nxg24\n", "the column file is missing"),
        ("file,device\nnone.wav,a\n", r"line 2: there is no recording none\.wav"),
        ("file,device\ndoor.wav\n", "line 2: 1 fields, the header names 2"),
        ("file,device\ndoor.wav,a\ndoor.wav,b\n", r"line 3: door\.wav stands here twice"),
    ):
        (folder / "captures.csv").write_text(text)
        with pytest.raises(UserError) as caught:
            read_labels(labels, RATE)
        assert caught.match(message.split(": ", 1)[-1])
        assert message.split(": ", 1)[0] in str(caught.value) or ":" not in message


TABLE = "Selection\tBegin Time (s)\tEnd Time (s)"
BAD_REGION = '{"value": {"start": "x", "end": 1, "labels": ["a"]}}'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "line 1: is no JSON"),
        ("a.json", "{}", "is no list of tasks or files"),
        ("a.json", '[{"data": {"audio": "none.wav"}}]', "entry 1: there is no recording none.wav"),
        (
            "a.json",
            f'[{{"data": {{"audio": "door.wav"}}, "annotations": [{{"result": [{BAD_REGION}]}}]}}]',
            "entry 1: a region from x to 1 is no stretch",
        ),
        (
            "a.json",
            '[{"audio": "door.wav", "label": [{"start": 2, "end": 1, "labels": ["a"]}]}]',
            "entry 1: the segment ends at sample 16000",
        ),
        (
            "a.json",
            '[{"file_name": "door.wav", "sessions": [{"segments": [{"value": "a", "start": 5}]}]}]',
            "entry 1: a segment from 5 to None of a is none",
        ),
        ("a.json", '[{"file_name": "door.wav", "sessions": [3]}]', "entry 1: a session is no object"),
        ("a.json", "[" * 5000, "is no JSON"),
        ("a.json", "[]", "holds no labelled segment"),
        ("a.txt", "Selection\tBegin Time (s)\tSpecies\n1\t2\tx\n", 'the column "End Time (s)" is missing'),
        ("a.txt", f"{TABLE}\n1\t0\t1\n", "no column says what a selection is"),
        ("a.txt", f"{TABLE}\tAnnotation\n1\t0\t1\n", "line 2: 3 tab-separated fields"),
        ("a.txt", f"{TABLE}\tAnnotation\n1\t0\t1\tx\n", "no recording lies beside a.txt"),
        ("door.txt", f"{TABLE}\tAnnotation\n1\t0\tx\tx\n", 'line 2: End Time (s) is "x"'),
        ("door.txt", f"{TABLE}\tAnnotation\n1\t0\t1\t\n", "line 2: the label is empty"),
    ],
)
def test_broken_files(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(UserError) as caught:
        read_labels(folder / name, RATE)
    assert message in str(caught.value)
    assert str(folder / name) in str(caught.value)


# Both ways


@pytest.fixture
def labels(folder: Path) -> Path:
    file = folder / "labels.csv"
    file.write_text(
        "file,start,end,label,role,session,author,device\n"
        "door.wav,16,8016,knocking,,train,Ann,xg24\n"
        "door.wav,12352,20000,mouse_click,key_io,train,Eve,xg24\n"
        "hall.wav,0,39999,unknown,,test,Ben,nrf\n"
    )
    return file


def test_csv_both_ways(folder: Path, labels: Path) -> None:
    before = read_labels(labels, RATE)
    write_labels(folder / "again.csv", before)
    again = read_labels(folder / "again.csv", RATE)
    assert [dataclasses.replace(one, source=labels, line=0) for one in again] == [
        dataclasses.replace(one, source=labels, line=0) for one in before
    ]


@pytest.mark.parametrize(
    ("kind", "output", "left"),
    [
        ("audacity", ".", "session (3), role (1), device (3), author (3)"),
        ("label-studio", "tasks.json", "session (3), role (1), device (3), author (3)"),
        ("raven", "table.txt", "session (3), role (1), device (3), author (3)"),
        ("sensiml", "project.json", "role (1), author (2)"),
        ("csv", "again.csv", ""),
    ],
)
def test_export_and_import(folder: Path, labels: Path, kind: str, output: str, left: str) -> None:
    target = folder / output
    done = earshot("data", "export", labels, "--format", kind, "-o", target)
    assert done.returncode == 0, done.stderr
    said = f"3 segments of 2 recordings are in {target.resolve()}.\n"
    if left:
        said += (
            f"Left out, for {kind} has no place for it: {left}; in brackets the segments. csv keeps all.\n"
        )
    assert done.stdout == said
    before = [row if "session" not in left else (*row[:4], "") for row in rows(read_labels(labels, RATE))]
    labels.unlink()
    taken = folder / "taken.csv"
    done = earshot("data", "import", target, "-o", taken)
    assert done.returncode == 0, done.stderr
    assert rows(read_labels(taken, RATE)) == before
    if kind == "audacity":
        assert (
            folder / "door.txt"
        ).read_text() == "0.001000\t0.501000\tknocking\n0.772000\t1.250000\tmouse_click\n"
    if kind == "sensiml":
        project = json.loads(target.read_text())
        assert project[0]["sessions"][0]["segments"][0] == {
            "name": "Label",
            "value": "knocking",
            "start": 16,
            "end": 8015,
        }
        assert {"name": "device", "value": "xg24"} in project[0]["metadata"]


def test_what_cannot_be_written(folder: Path, labels: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    words = ("data", "export", labels, "--format", "csv")
    assert "does not lie below" in refused(*words, "-o", elsewhere / "a.csv")
    assert "there is no such folder" in refused(*words, "-o", folder / "none" / "a.csv")
    assert "is a file that the labels come from" in refused(*words, "-o", labels)
    assert 'no segment is of session "night"' in refused(*words, "-o", folder / "a.csv", "--session", "night")
    message = refused("data", "regions", labels, "-o", folder / "a.csv", "--label", "unknown")
    assert 'no segment without a session has the label "unknown"' in message
    assert "--test 0 to below 1" in refused("data", "regions", labels, "-o", folder / "a.csv", "--test", "1")


@pytest.mark.parametrize("rate", [44_100, 16_000, 8000])
@pytest.mark.parametrize(
    ("kind", "output"), [("audacity", "."), ("label-studio", "tasks.json"), ("raven", "table.txt")]
)
def test_times_are_of_the_recording_s_own_rate(folder: Path, rate: int, kind: str, output: str) -> None:
    """Half a second is half a second, whatever the app's rate is."""
    soundfile.write(folder / "door.wav", np.zeros(2 * rate, np.int16), rate)
    labels = folder / "labels.csv"
    labels.write_text(f"file,start,end,label\ndoor.wav,{rate // 2},{rate},knocking\n")
    options = ("--app", "examples/smart_lock") if rate == 8000 else ()
    assert here("data", "export", labels, "--format", kind, "-o", folder / output, *options) == 0
    labels.unlink()
    written = folder / (output if output != "." else "door.txt")
    assert "0.5" in written.read_text()
    assert rows(read_labels(written, 16_000)) == [("door.wav", 8000, 16_000, "knocking", "")]
    assert here("data", "import", folder / output, "-o", folder / "taken.csv", *options) == 0
    taken = (folder / "taken.csv").read_text()
    assert taken == f"file,start,end,label\ndoor.wav,{rate // 2},{rate},knocking\n"


@pytest.mark.parametrize("session", ["default", ""])
def test_sessions_survive_sensiml(folder: Path, session: str) -> None:
    labels, project, taken = folder / "labels.csv", folder / "project.json", folder / "taken.csv"
    labels.write_text(
        "file,start,end,label,session,device,weather\n"
        f"door.wav,0,8000,knocking,{session},xg24,rain\ndoor.wav,8000,16000,x,train,xg24,sun\n"
    )
    assert here("data", "export", labels, "--format", "sensiml", "-o", project) == 0
    assert here("data", "import", project, "-o", taken) == 0
    # The weather is not the same for all of the file, whose metadata it would become.
    assert taken.read_text() == (
        "file,start,end,label,session,device\n"
        f"door.wav,0,8000,knocking,{session},xg24\ndoor.wav,8000,16000,x,train,xg24\n"
    )


def test_label_tracks_overwrite_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "night").mkdir()
    (folder / "night" / "door.wav").write_bytes((folder / "door.wav").read_bytes())
    labels = folder / "labels.csv"
    labels.write_text("file,start,end,label\ndoor.wav,0,800,x\nhall.wav,0,800,x\nnight/door.wav,0,800,y\n")
    words = ("data", "export", labels, "--format", "audacity", "-o", folder / "tracks")
    assert here(*words) == 2
    message = capsys.readouterr().err
    assert (
        f"{folder / 'tracks' / 'door.txt'}: would be the label track of {folder / 'door.wav'} and" in message
    )
    assert not (folder / "tracks").exists()
    labels.write_text("file,start,end,label\ndoor.wav,0,800,x\nhall.wav,0,800,x\n")
    assert here(*words) == 0
    (folder / "tracks" / "door.txt").unlink()
    (folder / "tracks" / "hall.txt").write_text("mine")
    assert here(*words) == 2
    assert f"{folder / 'tracks' / 'hall.txt'}: is there already" in capsys.readouterr().err
    assert [file.name for file in (folder / "tracks").iterdir()] == ["hall.txt"]
    assert (folder / "tracks" / "hall.txt").read_text() == "mine"
    assert here(*words[:-1], folder / "door.wav") == 2
    assert "is no folder" in capsys.readouterr().err


def test_paths_by_links_and_dots(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file is one file, however it is named; a linked recording lies where its link does."""
    linked = tmp_path_factory.mktemp("links") / "here"
    linked.symlink_to(folder)
    (folder / "labels").mkdir()
    labels = folder / "labels" / "labels.csv"
    labels.write_text("file,start,end,label\n../door.wav,0,800,x\n")
    words = ("data", "export", labels, "--format", "csv", "-o")
    assert here(*words, linked / "a.csv") == 0
    assert (folder / "a.csv").read_text() == "file,start,end,label\ndoor.wav,0,800,x\n"
    assert here(*words, linked / "labels" / "labels.csv") == 2
    assert "is a file that the labels come from" in capsys.readouterr().err
    away = tmp_path_factory.mktemp("away") / "far.wav"
    (folder / "hall.wav").rename(away)
    (folder / "hall.wav").symlink_to(away)
    labels.write_text("file,start,end,label\n../hall.wav,0,800,x\n")
    assert here(*words, folder / "b.csv") == 0
    assert (folder / "b.csv").read_text() == "file,start,end,label\nhall.wav,0,800,x\n"


# Regions


def test_a_region_becomes_windows(folder: Path) -> None:
    region_ = Segment(folder / "door.wav", 100, 100 + 8500, "unknown")
    knock = Segment(folder / "door.wav", 20_000, 30_000, "knocking")
    done = Segment(folder / "hall.wav", 0, 9000, "unknown", session="test")
    made = windows([region_, knock, done], "unknown", 1000, 0.25)
    assert made[8:] == [knock, done]
    assert [(one.start, one.end, one.session) for one in made[:8]] == [
        (100 + 1000 * number, 1100 + 1000 * number, "train" if number < 6 else "test") for number in range(8)
    ]
    assert windows([region_], "unknown", 9000, 0.5) == [region_]


def test_regions_command(folder: Path) -> None:
    labels = folder / "labels.csv"
    labels.write_text("file,start,end,label\ndoor.wav,0,32000,unknown\nhall.wav,0,8000,knocking\n")
    done = earshot("data", "regions", labels, "-o", folder / "cut.csv", "--length", "8000", "--test", "0.25")
    assert done.returncode == 0, done.stderr
    assert [row[4] for row in rows(read_labels(folder / "cut.csv", RATE))] == ["train"] * 3 + ["test", ""]


@pytest.mark.parametrize("name", ["labels.csv", "captures.csv", "queries.toml", "door.wav"])
def test_a_folders_own_files_are_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Labels of a folder are those of its labels.csv: a part of them must not take its place."""
    (folder / "labels.csv").write_text("file,start,end,label\ndoor.wav,0,800,x\ndoor.wav,900,1700,y\n")
    before = (folder / name).read_bytes() if (folder / name).exists() else None
    assert here("data", "query", folder, "--where", "label=x", "-o", folder / name) == 2
    assert "is a file that the labels come from" in capsys.readouterr().err
    assert ((folder / name).read_bytes() if (folder / name).exists() else None) == before
