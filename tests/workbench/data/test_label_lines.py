# SPDX-License-Identifier: Apache-2.0
"""Label files that are edited: only the lines of a changed segment become others, and nothing is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from workbench.data import label_lines
from workbench.data.label_lines import ChangedOutsideError, LabelLines
from workbench.data.labels import read_labels
from workbench.data.segment import Segment

RATE = 8000


def recording(folder: Path, name: str = "door.wav") -> Path:
    with wave.open(str(folder / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"\0\0" * RATE)
    return folder / name


def opened(path: Path, text: str | bytes | None = None) -> LabelLines:
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return LabelLines(path, lambda _: RATE)


def segment(file: Path, start: int, end: int, label: str = "knocking", session: str = "") -> Segment:
    return Segment(file, start, end, label, session=session)


def key(lines: LabelLines, label: str) -> int:
    return next(number for number, one in lines.segments if one.label == label)


def moved(lines: LabelLines, name: str, **changes: object) -> None:
    found = next(one for _, one in lines.segments if one.label == name)
    lines.change(key(lines, name), dataclasses.replace(found, **changes))  # type: ignore[arg-type]


def test_a_file_is_made_that_the_commands_read(tmp_path: Path) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv")
    lines.add(segment(door, 100, 900))
    lines.add(segment(door, 1000, 2000, "a, b"))
    text = 'file,start,end,label\ndoor.wav,100,900,knocking\ndoor.wav,1000,2000,"a, b"\n'
    assert lines.path.read_text() == text
    found = read_labels(tmp_path, RATE)
    assert [(one.start, one.end, one.label) for one in found] == [
        (100, 900, "knocking"),
        (1000, 2000, "a, b"),
    ]


def test_all_other_lines_stay_byte_for_byte(tmp_path: Path) -> None:
    """Among them odd spaces, quotes, empty lines, and lines that cannot be read."""
    recording(tmp_path)
    odd = (
        "# what is this\r\ndoor.wav ;  7;9 ;first;'x'\r\n\r\ngone.wav;1;2;lost;\r\ndoor.wav;5;eight;bad;\r\n"
    )
    head = "file;start;end;label;note\r\n"
    text = f'{head}{odd}door.wav;10;20;second;a "b"\r\n'
    lines = opened(tmp_path / "labels.csv", text)
    assert [error.place for error in lines.errors] == ["line 2", "line 5", "line 6"]
    assert [one.label for _, one in lines.segments] == ["first", "second"]
    moved(lines, "second", start=12, end=30, label="third")
    assert lines.path.read_bytes().decode() == f'{head}{odd}door.wav;12;30;third;"a ""b"""\r\n'
    lines.remove([key(lines, "first")])
    assert lines.path.read_bytes().decode() == (
        f"{head}# what is this\r\n\r\ngone.wav;1;2;lost;\r\ndoor.wav;5;eight;bad;\r\n"
        'door.wav;12;30;third;"a ""b"""\r\n'
    )


def test_every_edit_can_be_taken_back_and_done_again(tmp_path: Path) -> None:
    door = recording(tmp_path)
    before = "file,start,end,label\ndoor.wav,1,2,a\ndoor.wav,3,4,b\ndoor.wav,5,6,c"  # no newline at its end
    lines = opened(tmp_path / "labels.csv", before)
    edits, texts = [], [before]
    edits.append(lines.add(segment(door, 7, 8, "d")))
    texts.append(lines.path.read_text())
    edits.append(lines.change(key(lines, "b"), segment(door, 3, 9, "b", "train")))
    texts.append(lines.path.read_text())
    edits.append(lines.remove([key(lines, "a"), key(lines, "c")]))
    texts.append(lines.path.read_text())
    assert texts[1] == f"{before}\ndoor.wav,7,8,d\n"
    assert texts[2] == (
        "file,start,end,label,session\ndoor.wav,1,2,a,\ndoor.wav,3,9,b,train\ndoor.wav,5,6,c,\ndoor.wav,7,8,d,\n"
    )
    assert texts[3] == "file,start,end,label,session\ndoor.wav,3,9,b,train\ndoor.wav,7,8,d,\n"
    for edit, text in zip(reversed(edits), reversed(texts[:-1]), strict=True):
        lines.apply(edit.reversed())
        assert lines.path.read_text() == text
    for edit, text in zip(edits, texts[1:], strict=True):
        lines.apply(edit)
        assert lines.path.read_text() == text


def test_a_file_that_another_program_wrote_is_read_again_and_never_overwritten(tmp_path: Path) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv", "file,start,end,label\ndoor.wav,1,2,a\n")
    assert not lines.refresh()
    theirs = "file,start,end,label\ndoor.wav,1,2,b\n"  # the same length
    lines.path.write_text(theirs)
    with pytest.raises(ChangedOutsideError, match="changed by another program"):
        lines.add(segment(door, 5, 6))
    assert lines.path.read_text() == theirs
    assert [one.label for _, one in lines.segments] == ["b"]
    lines.path.unlink()
    assert lines.refresh()
    assert lines.segments == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("file,start,end\ndoor.wav,1,2\n", "line 1"),
        ('file,start,end,label\ndoor.wav,1,2,a\ndoor.wav,3,4,"b\n', "line 3"),
        (b"file,start,end,label\ndoor.wav,1,2,caf\xe9\n", "line 2"),
    ],
)
def test_a_file_whose_lines_cannot_be_told_apart_is_left_alone(
    tmp_path: Path, text: str | bytes, place: str
) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv", text)
    before = lines.path.read_bytes()
    assert [error.place for error in lines.errors] == [place]
    with pytest.raises(UserError) as error:
        lines.add(segment(door, 5, 6))
    assert (error.value.place, error.value.file) == (place, str(lines.path))
    assert lines.path.read_bytes() == before
    lines.path.write_text("file,start,end,label\ndoor.wav,1,2,a\n")  # mended in an editor
    assert lines.refresh()
    lines.add(segment(door, 5, 6))
    assert len(lines.segments) == 2


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("file,start_s,end_s,label", "door.wav,0.125000,0.250125,{}"),
        ("file,start (ms),end (ms),label", "door.wav,125.000,250.125,{}"),
        ("label\tend\tstart\tfile\tunit", "{}\t2001\t1000\tdoor.wav\tsamples"),
    ],
)
def test_rows_are_written_in_the_units_and_columns_of_the_file(tmp_path: Path, head: str, row: str) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv", f"\ufeff{head}\n".encode())
    lines.add(segment(door, 1000, 2001))
    assert lines.path.read_bytes() == f"\ufeff{head}\n{row.format('knocking')}\n".encode()
    (found,) = read_labels(lines.path, RATE)
    assert (found.start, found.end) == (1000, 2001)


def test_a_row_of_several_lines_is_one(tmp_path: Path) -> None:
    recording(tmp_path)
    lines = opened(
        tmp_path / "labels.csv", 'file,start,end,label,note\ndoor.wav,1,2,a,"x\ny"\ndoor.wav,3,4,b,\n'
    )
    moved(lines, "b", session="test")
    assert lines.path.read_text() == (
        'file,start,end,label,note,session\ndoor.wav,1,2,a,"x\ny",\ndoor.wav,3,4,b,,test\n'
    )
    lines.remove([key(lines, "a")])
    assert lines.path.read_text() == "file,start,end,label,note,session\ndoor.wav,3,4,b,,test\n"


def test_a_label_track_keeps_its_frequency_ranges(tmp_path: Path) -> None:
    door = recording(tmp_path)
    ranges = "\\\t200.0\t4000.0\n"
    lines = opened(tmp_path / "door.txt", f"0.1\t0.2\ta\n{ranges}0.3\t0.4\tb\n")
    moved(lines, "a", start=1000)
    lines.add(segment(door, 4000, 8000, "c"))
    text = f"0.125000\t0.200000\ta\n{ranges}0.3\t0.4\tb\n0.500000\t1.000000\tc\n"
    assert lines.path.read_text() == text
    lines.remove([key(lines, "a")])
    assert lines.path.read_text() == "0.3\t0.4\tb\n0.500000\t1.000000\tc\n"


@pytest.mark.parametrize("label", ["", "a\nb", " a", "a\x1b[0m"])
def test_what_is_no_label_is_refused(tmp_path: Path, label: str) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv")
    with pytest.raises(UserError):
        lines.add(segment(door, 5, 6, label))
    assert not lines.path.exists()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = recording(tmp_path)
    lines = opened(tmp_path / "labels.csv", "file,start,end,label\n")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("workbench.data.label_lines.write_whole", refuse)
    with pytest.raises(UserError, match="cannot be written: Permission denied"):
        lines.add(segment(door, 5, 6))
    assert lines.segments == ()


def test_a_selection_table_of_raven_is_shown_and_never_written(tmp_path: Path) -> None:
    recording(tmp_path)
    text = "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t0.25\t0.5\tknocking\n"
    table = opened(tmp_path / "door.txt", text)
    (number, shown), *more = table.segments
    assert (shown.start, shown.end, shown.label, more, table.errors) == (
        RATE // 4,
        RATE // 2,
        "knocking",
        [],
        (),
    )
    refused = pytest.raises(UserError, match=r"read and not written\n.*`earshot data import door\.txt")
    with refused:
        table.add(segment(shown.file, 0, 10))
    with refused:
        table.change(number, dataclasses.replace(shown, label="click"))
    with refused:
        table.remove([number])
    assert (tmp_path / "door.txt").read_text() == text


def test_a_row_that_comes_while_an_edit_waits_for_the_folder_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A take is written while the page writes a segment: the file is compared when nobody else can write."""
    door, table = recording(tmp_path), tmp_path / "labels.csv"
    lines = opened(table, "file,start,end,label\n")

    @contextlib.contextmanager
    def waited(folder: Path) -> Iterator[None]:
        with table.open("a") as stream:
            stream.write("b.wav,0,9,knock\n")
        yield

    monkeypatch.setattr(label_lines, "one_writer", waited)
    with pytest.raises(ChangedOutsideError):
        lines.add(segment(door, 0, 9))
    assert table.read_text() == "file,start,end,label\nb.wav,0,9,knock\n"
