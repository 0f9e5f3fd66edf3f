# SPDX-License-Identifier: Apache-2.0
"""Label files: which samples of which recording are what.

- CSV with a header (label_csv.py): file,start,end,label and, where known, role, session, author;
  other columns are ignored. The end is exclusive; files are relative to the CSV.
- an Audacity label track (label_track.py, .txt); its recording has the same name.
- a selection table of Raven (selection_table.py, .txt).
- JSON of Label Studio, or of SensiML (label_json.py).
- a folder of label tracks, or one with a labels.csv.

What is known of the recordings stands in a captures.csv beside the label file (captures.py).
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from codegen.common.errors import UserError, UserErrors
from workbench.audio.recording import file_rate
from workbench.data.captures import with_captures
from workbench.data.label_csv import REQUIRED, read_csv
from workbench.data.label_json import read_json
from workbench.data.label_track import read_track, recording_beside
from workbench.data.segment import RateOf, Segment, below, find_class
from workbench.data.selection_table import is_selection_table, read_table
from workbench.progress import remark

__all__ = ["MOST_ERRORS", "Segment", "class_index", "of_session", "read_labels", "write_labels"]

MOST_ERRORS = 10  # reported at once
TABLE = "labels.csv"  # the label file of a folder


def read_labels(
    path: Path,
    sample_rate: int,
    *,
    resampled: bool = False,
    own_rate: bool = False,
    most: int | None = MOST_ERRORS,
) -> tuple[Segment, ...]:
    """The segments of a label file in its order, at least one; of a folder those of its label tracks, or of
    its labels.csv.

    sample_rate: Hz, turns seconds into samples.
    resampled: recordings of another rate are resampled when they are read; sample numbers of them, which
    count at their own rate, are turned into those of sample_rate.
    own_rate: seconds are turned into samples of each recording's own rate instead; sample_rate is that of
    recordings whose file does not tell one.
    most: faults that are reported at once; None: all.
    UserError (or UserErrors, several lines at once) where the file cannot be read, a line is broken, or a
    recording is missing. Whether a segment lies within its recording shows when that is read.
    """
    segments: list[Segment] = []
    errors: list[UserError] = []
    rate_of = own_rates(sample_rate) if own_rate else lambda _: sample_rate
    for file in _files(path.absolute()):
        text = _text(file)
        own, faults = _format(file, text)(text, file, rate_of)
        segments += own
        errors += faults
    if errors:
        raise UserErrors(errors[:most]) if len(errors) > 1 else errors[0]
    if not segments:
        raise UserError("holds no labelled segment", file=path, remedy="Label at least one stretch of sound.")
    return tuple(with_captures(_rescaled(segments, sample_rate) if resampled else segments))


def own_rates(otherwise: int) -> RateOf:
    """The rate that each recording's file tells; `otherwise` where it tells none."""
    return functools.cache(lambda file: file_rate(file) or otherwise)


def _format(file: Path, text: str) -> Callable[[str, Path, RateOf], tuple[list[Segment], list[UserError]]]:
    """What reads it."""
    kind = file.suffix.lower()
    if kind == ".txt":
        return read_table if is_selection_table(text) else read_track
    return read_json if kind == ".json" else read_csv


def _files(path: Path) -> list[Path]:
    """The label files that a path stands for."""
    if not path.is_dir():
        if path.suffix.lower() not in (".csv", ".txt", ".json"):
            raise UserError(
                "is no label file by its name",
                file=path,
                remedy="Label files are .csv (file,start,end,label), .txt (an Audacity label track, Raven's "
                "selection table) or .json (of Label Studio, of SensiML).",
            )
        return [path]
    texts = sorted(file for file in path.iterdir() if file.suffix.lower() == ".txt" and file.is_file())
    tracks = [file for file in texts if recording_beside(file)]
    table = path / TABLE
    if table.is_file() and tracks:
        raise UserError(
            f"holds {TABLE} and label tracks, {tracks[0].name} first",
            file=path,
            remedy=f"Name {table}, or a folder that has label tracks alone.",
        )
    if table.is_file():
        return [table]
    if not tracks:
        raise UserError(
            f"this folder has no {TABLE}, and no label track (.txt) with a recording of its name beside it",
            file=path,
            remedy="Give a label file, or a folder with door.txt beside door.wav.",
        )
    alone = [file.name for file in texts if file not in tracks]
    if alone:
        remark(f"no recording lies beside {', '.join(alone)}: not read as labels")
    return tracks


def _rescaled(segments: Sequence[Segment], sample_rate: int) -> list[Segment]:
    """Sample numbers that count at a recording's own rate as those of sample_rate, to the nearest."""
    rate_of = own_rates(sample_rate)
    scaled = []
    for segment in segments:
        rate = rate_of(segment.file)
        if rate != sample_rate and not segment.timed:
            start, end = (round(at * sample_rate / rate) for at in (segment.start, segment.end))
            scaled.append(dataclasses.replace(segment, start=start, end=max(end, start + 1), timed=True))
        else:
            scaled.append(segment)
    return scaled


def write_labels(path: Path, segments: Iterable[Segment]) -> None:
    """Writes the CSV that read_labels reads, with the columns that some segment has something for; recordings
    are named relative to it, and lie below its folder. The whole file or nothing of it."""
    rows = list(segments)
    own = [name for name in ("role", "session", "author") if any(getattr(one, name) for one in rows)]
    known = list(dict.fromkeys(name for one in rows for name, _ in one.metadata))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*REQUIRED, *own, *known])
    for one in rows:
        name = below(one.file, path.parent)
        more = [getattr(one, column) for column in own]
        metadata = dict(one.metadata)
        writer.writerow(
            [name, one.start, one.end, one.label, *more, *(metadata.get(column, "") for column in known)]
        )
    part = path.with_name(f".{path.name}.part")
    part.write_text(text.getvalue(), encoding="utf-8")
    part.replace(path)


def class_index(segment: Segment, labels: Sequence[str]) -> int:
    """The segment's class among the app's labels (find_class); UserError where it has none."""
    index = find_class(segment, labels)
    if index is not None:
        return index
    named = f'label "{segment.label}"' + (f' (role "{segment.role}")' if segment.role else "")
    alone = " Recordings of other sound are for `evaluate --background FOLDER`." if len(labels) == 1 else ""
    raise UserError(
        f"{named} is no class of this app; its classes are {', '.join(labels)}",
        file=segment.source,
        place=segment.place,
        remedy="Put a class into its label or role column, or add one to [decision] labels of pipeline.toml."
        + alone,
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
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):  # a spreadsheet's "Unicode text"
        return raw.decode("utf-16", "replace")
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
