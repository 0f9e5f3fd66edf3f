# SPDX-License-Identifier: Apache-2.0
"""Label files: what is read, and the words for every way in which one can be broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError, UserErrors
from tests.support.shared import shared
from workbench.data.labels import Segment, class_index, of_session, read_labels, write_labels

RATE = 16000
HEADER = "file,start,end,label,session\n"


def csv(folder: Path, text: str, header: str = HEADER) -> Path:
    """labels.csv beside an a.wav and a b.flac that are only there by name."""
    for name in ("a.wav", "b.flac"):
        (folder / name).touch()
    file = folder / "labels.csv"
    file.write_text(header + text, encoding="utf-8")
    return file


def fault(file: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_labels(file, RATE)
    return caught.value


def test_csv(tmp_path: Path) -> None:
    file = csv(tmp_path, "a.wav,0,8000,knocking,train\n\nb.flac, 160 ,16000,key io,test\n")
    first, second = read_labels(file, RATE)
    assert first == Segment(tmp_path / "a.wav", 0, 8000, "knocking", "", "train", "", file, 2)
    assert (second.start, second.end, second.label, second.line) == (160, 16000, "key io", 4)
    assert (first.samples, first.group) == (8000, "a.wav")


def test_columns_in_any_order_with_others_among_them(tmp_path: Path) -> None:
    header = "author,label,licence,end,role,start,file\n"
    file = csv(tmp_path, '"Doe, J.",clicks,CC0,5,locking,2,a.wav\n', header)
    (segment,) = read_labels(file, RATE)
    known = (("licence", "CC0"),)
    assert segment == Segment(
        tmp_path / "a.wav", 2, 5, "clicks", "locking", "", "Doe, J.", file, 2, metadata=known
    )
    assert segment.group == "Doe, J."


def test_a_spreadsheet_s_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    file = csv(tmp_path, "")
    file.write_bytes(b"\xef\xbb\xbf" + (HEADER + "a.wav,0,1,x,\n").replace("\n", "\r\n").encode())
    assert read_labels(file, RATE)[0].label == "x"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a.wav,0,8000,knocking\n", "line 2", "4 fields, the header names 5"),
        ("a.wav,0,8000,knocking,train,more\n", "line 2", "6 fields, the header names 5"),
        ("a.wav,0.5,8000,knocking,train\n", "line 2", 'start is "0.5", not a sample number'),
        ("a.wav,0,,knocking,train\n", "line 2", 'end is "", not a sample number'),
        ("a.wav,-1,8000,knocking,train\n", "line 2", 'start is "-1", not a sample number'),
        ("a.wav,0,1e9,knocking,train\n", "line 2", 'end is "1e9", not a sample number'),
        ("a.wav,0,99999999999999999999,x,train\n", "line 2", "not a sample number"),
        ("a.wav,٣,9,x,train\n", "line 2", "not a sample number"),
        ("a.wav,8000,8000,knocking,train\n", "line 2", "ends at sample 8000, not after its start 8000"),
        ("a.wav,0,8000,,train\n", "line 2", "the label is empty"),
        (",0,8000,knocking,train\n", "line 2", "file is empty"),
        ("\n\nc.wav,0,8000,knocking,train\n", "line 4", "there is no recording c.wav"),
        ('"a.wav,0,8000,knocking,train\n', "line 2", "not CSV: "),
    ],
)
def test_broken_lines(tmp_path: Path, text: str, place: str, words: str) -> None:
    error = fault(csv(tmp_path, text))
    assert error.place == place
    assert words in error.what
    assert error.file == str(tmp_path / "labels.csv")
    assert error.remedy


def test_several_broken_lines_are_reported_at_once(tmp_path: Path) -> None:
    error = fault(csv(tmp_path, "a.wav,0,8,x,\nc.wav,0,8,x,\na.wav,9,8,x,\n"))
    assert isinstance(error, UserErrors)
    assert [one.place for one in error.errors] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "is empty"),
        ("file,start,end\n", "the column label is missing; found: file, start, end"),
        ("file,start,end,label,start\n", "two columns are named start"),
        ("a.wav,0,8000,knocking\n", "the column file is missing"),
        (HEADER, "holds no labelled segment"),
    ],
)
def test_headers(tmp_path: Path, header: str, words: str) -> None:
    assert words in fault(csv(tmp_path, "", header)).what


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "no such file" in fault(tmp_path / "labels.csv").what
    (tmp_path / "x.xml").touch()
    assert "no label file by its name" in fault(tmp_path / "x.xml").what
    (tmp_path / "x.csv").mkdir()
    assert "this folder has no labels.csv, and no label track" in fault(tmp_path / "x.csv").what
    (tmp_path / "y.csv").write_bytes(b"file,start,end,label\n\xff\xfe,0,1,x\n")
    error = fault(tmp_path / "y.csv")
    assert (error.what, error.place) == ("byte 0xFF is not UTF-8", "line 2")


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("file;start;end;label", "a.wav;4000;12000;x"),
        ("file\tstart\tend\tlabel", "a.wav\t4000\t12000\tx"),
        ("File;Start_s;END (s);Label", "a.wav;0,25;0,75;x"),
        ("file,start_s,end_s,label", 'a.wav,0.25,"0,75",x'),
        ("file,start [ms],end_ms,label", "a.wav,250,750.0,x"),
        ("file,start,end,unit,label", "a.wav,0.25,0.75,s,x"),
        ("file,start,end,unit,label", "a.wav,250,750,MS,x"),
        ("file,start,end,unit,label", "a.wav,4000,12000,,x"),
        ("file,start_s,end_s,unit,label", "a.wav,4000,12000,samples,x"),
        ("sep=;\nfile;start;end;label", "a.wav;4000;12000;x"),
    ],
)
def test_units_and_separators(tmp_path: Path, header: str, rows: str) -> None:
    (segment,) = read_labels(csv(tmp_path, f"{rows}\n", f"{header}\n"), RATE)
    assert (segment.start, segment.end, segment.label) == (4000, 12000, "x")
    assert segment.line == 2 + header.count("\n")


def test_a_spreadsheet_s_unicode_text(tmp_path: Path) -> None:
    file = csv(tmp_path, "")
    file.write_bytes("file\tstart\tend\tlabel\r\na.wav\t0\t9\tTür\r\n".encode("utf-16"))
    assert read_labels(file, RATE)[0].label == "Tür"


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("file,start_s,end,label", "a.wav,0,1,x", "start and end are in samples and seconds"),
        ("file,start_s,end_ms,label", "a.wav,0,1,x", "start and end are in milliseconds and seconds"),
        ("file,start_s,start,end,label", "a.wav,0,0,1,x", "two columns are named start"),
        ("file,start,end,unit,label", "a.wav,0,1,min,x", 'unit is "min"'),
        ("file,start_s,end_s,label", "a.wav,-0.5,1,x", 'start is "-0.5", not a time in seconds'),
        ("file,start_s,end_s,label", "a.wav,0.5,nan,x", 'end is "nan", not a time in seconds'),
        ("file;start_s;end_s;label", "a.wav;1.000,5;2000;x", 'start is "1.000,5", not a time in seconds'),
        ("file;start;end;label", "a.wav;0;9;x;y", "5 fields, the header names 4"),
    ],
)
def test_units_that_are_not_clear(tmp_path: Path, header: str, row: str, words: str) -> None:
    error = fault(csv(tmp_path, f"{row}\n", f"{header}\n"))
    assert words in error.what
    assert error.remedy


def test_seconds_among_samples_are_refused_with_how_to_write_them(tmp_path: Path) -> None:
    error = fault(csv(tmp_path, "a.wav,0.5,8000,knocking,train\n"))
    assert error.remedy is not None
    assert "start_s and end_s" in error.remedy


def test_sample_numbers_of_a_recording_at_another_rate(tmp_path: Path) -> None:
    """Half a second from the first on, of 48,000 and of 16,000 samples a second, and given in seconds."""
    soundfile.write(tmp_path / "a.wav", np.zeros(96_000, np.int16), 48_000)
    soundfile.write(tmp_path / "b.flac", np.zeros(32_000, np.int16), RATE)
    header = "file,start,end,unit,label\n"
    rows = "a.wav,48000,72000,,x\nb.flac,16000,24000,,x\na.wav,1,1.5,s,x\n"
    file = tmp_path / "labels.csv"
    file.write_text(header + rows)
    assert [(s.start, s.end) for s in read_labels(file, RATE, resampled=True)] == [(16_000, 24_000)] * 3
    assert next((s.start, s.end) for s in read_labels(file, RATE)) == (48_000, 72_000)


def track(folder: Path, text: str) -> Path:
    (folder / "door.flac").touch()
    file = folder / "door.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_audacity_label_track(tmp_path: Path) -> None:
    text = "0.250000\t0.750000\tknocking\n\\\t120.0\t4000.0\n1,5\t2,00003\tkey io\n"
    first, second = read_labels(track(tmp_path, text), RATE)
    assert (first.file, first.start, first.end, first.label) == (
        tmp_path / "door.flac",
        4000,
        12000,
        "knocking",
    )
    # 2.00003 s are 32000.48 samples: the nearest one.
    assert (second.start, second.end, second.label, second.line) == (24000, 32000, "key io", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.5\t1.0\n", "2 tab-separated fields instead of 3"),
        ("0.5 1.0 knocking\n", "1 tab-separated fields instead of 3"),
        ("half\t1.0\tknocking\n", 'start is "half", not a time in seconds'),
        ("-1\t1.0\tknocking\n", 'start is "-1", not a time in seconds'),
        ("0.5\tnan\tknocking\n", 'end is "nan", not a time in seconds'),
        ("0.5\t0.5\tknocking\n", "the segment ends at sample 8000, not after its start 8000"),
        ("0.5\t1.0\t\n", "the label is empty"),
        ("", "holds no labelled segment"),
    ],
)
def test_broken_label_tracks(tmp_path: Path, text: str, words: str) -> None:
    assert words in fault(track(tmp_path, text)).what


def test_a_label_track_alone(tmp_path: Path) -> None:
    (tmp_path / "door.txt").write_text("0\t1\tx\n")
    assert "there is no recording door.wav or door.flac beside it" in fault(tmp_path / "door.txt").what


def test_a_folder_of_label_tracks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b.wav", "a.flac", "other.wav"):
        (tmp_path / name).touch()
    (tmp_path / "b.txt").write_text("0\t1\tx\n")
    (tmp_path / "a.txt").write_text("1\t2\ty\n")
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    assert [(s.file.name, s.label) for s in read_labels(tmp_path, RATE)] == [("a.flac", "y"), ("b.wav", "x")]
    assert "no recording lies beside notes.txt: not read as labels" in capsys.readouterr().err
    (tmp_path / "b.txt").write_text("0\tx\n")
    error = fault(tmp_path)
    assert (error.file, error.place) == (str(tmp_path / "b.txt"), "line 1")
    (tmp_path / "labels.csv").write_text("file,start,end,label\na.flac,0,9,z\n")
    assert "holds labels.csv and label tracks, a.txt first" in fault(tmp_path).what
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).unlink()
    assert [s.label for s in read_labels(tmp_path, RATE)] == ["z"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9), st.integers(1, 10**6), st.text("ab ,\"'é", min_size=1).filter(str.strip)
        ),
        min_size=1,
    )
)
def test_what_is_written_is_read(rows: list[tuple[int, int, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.wav").touch()
        given_segments = [
            Segment(folder / "a.wav", start, start + length, label.strip(), session="s")
            for start, length, label in rows
        ]
        write_labels(folder / "labels.csv", given_segments)
        read = read_labels(folder / "labels.csv", RATE)
    assert [(s.file, s.start, s.end, s.label, s.session) for s in read] == [
        (s.file, s.start, s.end, s.label, s.session) for s in given_segments
    ]


def test_class_by_label_then_by_role(tmp_path: Path) -> None:
    labels = ("key_io", "knocking")
    segment = Segment(tmp_path / "a.wav", 0, 1, "knocking", "key_io")
    assert class_index(segment, labels) == 1
    assert class_index(Segment(tmp_path / "a.wav", 0, 1, "clicks", "key_io"), labels) == 0
    with pytest.raises(
        UserError, match='label "clicks" is no class of this app; its classes are key_io, knocking'
    ):
        class_index(Segment(tmp_path / "a.wav", 0, 1, "clicks"), labels)


def test_class_in_another_case(tmp_path: Path) -> None:
    def index(label: str, labels: tuple[str, ...], role: str = "") -> int:
        return class_index(Segment(tmp_path / "a.wav", 0, 1, label, role), labels)

    assert index("Knocking", ("key_io", "knocking")) == 1
    assert index("KNOCKING", ("key_io", "knocking"), role="key_io") == 1
    assert index("b", ("B", "b")) == 1
    with pytest.raises(UserError, match='label "c" is no class'):
        index("c", ("B", "b"))
    with pytest.raises(UserError, match='label "Ab" is no class'):  # of two alike it cannot be known which
        index("Ab", ("aB", "AB"))


def test_sessions(tmp_path: Path) -> None:
    file = csv(tmp_path, "a.wav,0,1,x,train\na.wav,1,2,x,test\n")
    segments = read_labels(file, RATE)
    assert [segment.start for segment in of_session(segments, "test", file)] == [1]
    with pytest.raises(UserError, match='no segment is of session "night"') as caught:
        of_session(segments, "night", file)
    assert caught.value.remedy == "Sessions there are: test, train."


def test_the_door_sounds() -> None:
    segments = read_labels(shared("audio/smart_lock/labels.csv"), RATE)
    labels = ("keyboard_typing", "knocking", "mouse_click", "unknown")
    counts = {
        (session, label): sum(s.session == session and class_index(s, labels) == index for s in segments)
        for session in ("train", "test")
        for index, label in enumerate(labels)
    }
    # From the set's own README.
    assert counts == {
        ("train", "keyboard_typing"): 116,
        ("train", "knocking"): 87,
        ("train", "mouse_click"): 105,
        ("train", "unknown"): 105,
        ("test", "keyboard_typing"): 42,
        ("test", "knocking"): 31,
        ("test", "mouse_click"): 39,
        ("test", "unknown"): 40,
    }
    authors = [{s.group for s in segments if s.session == session} for session in ("train", "test")]
    assert not authors[0] & authors[1]


def test_a_recording_whose_name_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,start,end,label\n" + "x" * 5000 + ".wav,0,8000,knock\n")
    with pytest.raises(UserError, match=r"line 2: there is no recording x{200}\.\.\. \(5004 characters\)"):
        read_labels(path, 16000)
