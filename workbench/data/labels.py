"""Label files: which samples of which recording are what.

Two formats are read:
- CSV with a header: file,start,end,label and, where known, role, session, author; other columns are ignored.
  Start and end are samples, the end is exclusive; files are relative to the CSV.
- an Audacity label track (.txt): start, end (seconds), label, tab separated; its recording has the same name.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError, UserErrors

REQUIRED = ("file", "start", "end", "label")
RECORDINGS = (".wav", ".flac")
HEADER_REMEDY = (
    "The first line names the columns: file,start,end,label and, where known, role,session,author; "
    "start and end are samples."
)
MOST_ERRORS = 10  # told at once


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of one recording."""

    file: Path  # the recording, absolute
    start: int  # first sample
    end: int  # behind the last sample
    label: str  # what the sound is
    role: str = ""  # the class it stands for, where that is another
    session: str = ""  # "train", "test", ...
    author: str = ""  # who recorded it; a training never splits an author between two sets
    source: Path = Path()  # the label file
    line: int = 0  # and the line there

    @property
    def samples(self) -> int:
        """Length."""
        return self.end - self.start

    @property
    def group(self) -> str:
        """What must stay together in a split: the author's recordings, or those of the one file."""
        return self.author or self.file.name


def read_labels(path: Path, sample_rate: int) -> tuple[Segment, ...]:
    """The segments of a label file in its order, at least one.

    sample_rate: Hz, turns the seconds of a label track into samples.
    UserError (or UserErrors, several lines at once) where the file cannot be read, a line is broken, or a
    recording is missing. Whether a segment lies within its recording shows when that is read.
    """
    path = path.absolute()
    readers = {".csv": _read_csv, ".txt": _read_track}
    if path.suffix.lower() not in readers:
        raise UserError(
            "is no label file by its name",
            file=path,
            remedy="Label files are .csv (file,start,end,label) or .txt (an Audacity label track).",
        )
    segments, errors = readers[path.suffix.lower()](_text(path), path, sample_rate)
    if errors:
        raise UserErrors(errors[:MOST_ERRORS]) if len(errors) > 1 else errors[0]
    if not segments:
        raise UserError("holds no labelled segment", file=path, remedy="Label at least one stretch of sound.")
    return tuple(segments)


def write_labels(path: Path, segments: Iterable[Segment]) -> None:
    """Writes the CSV that read_labels reads; recordings are named relative to it."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*REQUIRED, "session"])
        for segment in segments:
            name = segment.file.relative_to(path.absolute().parent).as_posix()
            writer.writerow([name, segment.start, segment.end, segment.label, segment.session])


def class_index(segment: Segment, labels: Sequence[str]) -> int:
    """The segment's class among the app's labels: by its label, else by its role; else UserError."""
    for word in (segment.label, segment.role):
        if word in labels:
            return labels.index(word)
    named = f'label "{segment.label}"' + (f' (role "{segment.role}")' if segment.role else "")
    raise UserError(
        f"{named} is no class of this app; its classes are {', '.join(labels)}",
        file=segment.source,
        place=f"line {segment.line}",
        remedy="Put a class into its label or role column, or add one to [decision] labels of pipeline.toml.",
    )


def of_session(segments: Sequence[Segment], session: str, source: Path) -> tuple[Segment, ...]:
    """The segments of one session; UserError naming the sessions there are when it has none."""
    chosen = tuple(segment for segment in segments if segment.session == session)
    if not chosen:
        there = sorted({segment.session for segment in segments if segment.session})
        raise UserError(
            f'no segment is of session "{session}"',
            file=source,
            remedy=f"Sessions there are: {', '.join(there)}." if there else "The file has no session column.",
        )
    return chosen


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"byte 0x{raw[error.start]:02X} is not UTF-8",
            file=path,
            place=f"line {line}",
            remedy="Save the file as UTF-8 text.",
        ) from None


def _fault(what: str, path: Path, line: int, remedy: str) -> UserError:
    return UserError(what, file=path, place=f"line {line}", remedy=remedy)


def _read_csv(text: str, path: Path, _sample_rate: int) -> tuple[list[Segment], list[UserError]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    segments: list[Segment] = []
    errors: list[UserError] = []
    columns: list[str] | None = None
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _header(row, path)
                continue
            try:
                segments.append(_csv_segment(columns, row, path, reader.line_num))
            except UserError as error:
                errors.append(error)
    except csv.Error as error:
        remedy = 'Commas separate the fields; a field with a comma or quote in it stands in "quotes".'
        errors.append(_fault(f"not CSV: {error}", path, reader.line_num, remedy))
    if columns is None and not errors:
        raise UserError("is empty", file=path, remedy=HEADER_REMEDY)
    return segments, errors


def _header(row: list[str], path: Path) -> list[str]:
    columns = [cell.strip() for cell in row]
    missing = [name for name in REQUIRED if name not in columns]
    double = sorted({name for name in columns if name and columns.count(name) > 1})
    if missing or double:
        fault = f"the column {missing[0]} is missing" if missing else f"two columns are named {double[0]}"
        raise _fault(f"{fault}; found: {', '.join(columns)}", path, 1, HEADER_REMEDY)
    return columns


def _csv_segment(columns: list[str], row: list[str], path: Path, line: int) -> Segment:
    if len(row) != len(columns):
        what = f"{len(row)} fields, the header names {len(columns)}"
        raise _fault(what, path, line, 'A field with a comma in it stands in "quotes".')
    cell = {name: value.strip() for name, value in zip(columns, row, strict=True)}
    recording = path.parent / cell["file"]
    if not recording.is_file():
        what = f"there is no recording {cell['file']}" if cell["file"] else "file is empty"
        raise _fault(what, path, line, "Name a recording, relative to the label file.")
    segment = Segment(
        recording,
        _sample("start", cell["start"], path, line),
        _sample("end", cell["end"], path, line),
        cell["label"],
        role=cell.get("role", ""),
        session=cell.get("session", ""),
        author=cell.get("author", ""),
        source=path,
        line=line,
    )
    return _checked(segment)


def _sample(name: str, text: str, path: Path, line: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        remedy = "Start and end are whole numbers of samples from 0 (seconds times the sample rate)."
        raise _fault(f'{name} is "{text}", not a sample number', path, line, remedy)
    return int(text)


def _checked(segment: Segment) -> Segment:
    """What both formats want of a segment."""
    if segment.end <= segment.start:
        what = f"the segment ends at sample {segment.end}, not behind its start {segment.start}"
        remedy = (
            "The end is exclusive: at 16 kHz half a second from the start is 0,8000. A point has no sound."
        )
        raise _fault(what, segment.source, segment.line, remedy)
    if not segment.label:
        raise _fault("the label is empty", segment.source, segment.line, "Say what the sound is.")
    return segment


def _read_track(text: str, path: Path, sample_rate: int) -> tuple[list[Segment], list[UserError]]:
    recording = _recording_beside(path)
    segments: list[Segment] = []
    errors: list[UserError] = []
    for line, row in enumerate(text.split("\n"), start=1):
        if not row.strip() or row.startswith("\\"):  # a backslash: the frequency range of the label before
            continue
        try:
            segments.append(_track_segment(row, recording, path, line, sample_rate))
        except UserError as error:
            errors.append(error)
    return segments, errors


def _recording_beside(path: Path) -> Path:
    for suffix in RECORDINGS:
        recording = path.with_suffix(suffix)
        if recording.is_file():
            return recording
    raise UserError(
        f"there is no recording {path.stem}.wav or {path.stem}.flac beside it",
        file=path,
        remedy="A label track belongs to the recording of the same name in the same folder.",
    )


def _track_segment(row: str, recording: Path, path: Path, line: int, sample_rate: int) -> Segment:
    fields = [field.strip() for field in row.split("\t")]
    if len(fields) != 3:
        remedy = "A label track has start, end (seconds) and label on each line, as Audacity exports it."
        raise _fault(f"{len(fields)} tab-separated fields instead of 3", path, line, remedy)
    start = round(_seconds("start", fields[0], path, line) * sample_rate)
    end = round(_seconds("end", fields[1], path, line) * sample_rate)
    return _checked(Segment(recording, start, end, fields[2], source=path, line=line))


def _seconds(name: str, text: str, path: Path, line: int) -> float:
    try:
        value = float(text.replace(",", "."))  # some systems export a decimal comma
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e9:
        remedy = "Times are seconds from 0 with a decimal point."
        raise _fault(f'{name} is "{text}", not a time in seconds', path, line, remedy)
    return value
