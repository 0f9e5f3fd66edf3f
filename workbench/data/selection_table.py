# SPDX-License-Identifier: Apache-2.0
"""Raven's selection tables: a header, tab-separated columns, times in seconds.

A selection has one row a view; one of them is taken. Its label is in the column `Annotation`, or in one with
a name of the user's choice (`Species`, `Label`, ...): the last column that Raven does not write itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.found import recording_named
from workbench.data.label_track import RECORDINGS, seconds
from workbench.data.segment import RateOf, Segment, below, checked, fault

SELECTION, BEGIN, END = "Selection", "Begin Time (s)", "End Time (s)"
OFFSET, FILE, PATH = "File Offset (s)", "Begin File", "Begin Path"
_NAMES = ("Annotation", "Label", "Species", "Class", "Type", "Call Type")
_MEASURED = re.compile(r".*\((s|Hz|kHz|dB|dB FS|bits|u|U|samples)\)|View|Channel|Begin |End |Selection|Peak ")
_TABLE = re.compile(r"(\.Table\.\d+)?\.selections$")  # door.Table.1.selections.txt


def is_selection_table(text: str) -> bool:
    """By its header."""
    columns = text.split("\n", 1)[0].strip("\r\ufeff").split("\t")
    return columns[0] == SELECTION and BEGIN in columns


def read_table(text: str, path: Path, rate_of: RateOf) -> tuple[list[Segment], list[UserError]]:
    """The segments of a table, and the faults of its rows. UserError where the header is at fault."""
    lines = text.split("\n")
    columns = [cell.strip("\r\ufeff ") for cell in lines[0].split("\t")]
    for needed in (BEGIN, END):
        if needed not in columns:
            remedy = "Export it from Raven with that column: File, Save Selection Table As."
            raise fault(f'the column "{needed}" is missing', path, 1, remedy)
    label = next((name for name in _NAMES if name in columns), None)
    own = [name for name in columns if name and not _MEASURED.match(name)]
    if label is None and not own:
        remedy = "Add an annotation column in Raven, and say in it what each sound is."
        raise fault("no column says what a selection is", path, 1, remedy)
    segments: list[Segment] = []
    errors: list[UserError] = []
    seen: set[str] = set()
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [cell.strip("\r ") for cell in line.split("\t")]
        row = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns):
            what = f"{len(cells)} tab-separated fields, the header names {len(columns)}"
            errors.append(fault(what, path, number, "Save the table from Raven again."))
        elif row[SELECTION] not in seen:
            seen.add(row[SELECTION])
            try:
                segments.append(_segment(row, label or own[-1], path, number, rate_of))
            except UserError as error:
                errors.append(error)
    return segments, errors


def _segment(row: dict[str, str], label: str, path: Path, line: int, rate_of: RateOf) -> Segment:
    named = row.get(FILE) or row.get(PATH)
    recording = recording_named(named, path) if named else _beside(path)
    if recording is None:
        what = f"there is no recording {named}" if named else f"no recording lies beside {path.name}"
        raise fault(what, path, line, "Put the recording into the folder of the table.")
    begin, end = (seconds(name, row[name], path, line) for name in (BEGIN, END))
    offset = seconds(OFFSET, row[OFFSET], path, line) if row.get(OFFSET) else begin
    rate = rate_of(recording)
    first, last = (round(at * rate) for at in (offset, offset + end - begin))
    return checked(Segment(recording, first, last, row[label], source=path, line=line, timed=True))


def _beside(path: Path) -> Path | None:
    """The recording that a table without file names is of: door.wav of door.Table.1.selections.txt."""
    stem = _TABLE.sub("", path.stem)
    return next(
        (
            path.parent / f"{stem}{suffix}"
            for suffix in RECORDINGS
            if (path.parent / f"{stem}{suffix}").is_file()
        ),
        None,
    )


def table_text(segments: Iterable[Segment], folder: Path, rate_of: RateOf) -> str:
    """A table of all recordings that Raven opens: begin times are those within each file."""
    columns = (
        SELECTION,
        "View",
        "Channel",
        BEGIN,
        END,
        "Low Freq (Hz)",
        "High Freq (Hz)",
        FILE,
        OFFSET,
        "Annotation",
    )
    rows = ["\t".join(columns)]
    for number, segment in enumerate(segments, start=1):
        rate = rate_of(segment.file)
        begin, end = segment.start / rate, segment.end / rate
        name = below(segment.file, folder)
        band = ("0.0", f"{rate / 2:.1f}")
        cells = (
            number,
            "Spectrogram 1",
            1,
            f"{begin:.6f}",
            f"{end:.6f}",
            *band,
            name,
            f"{begin:.6f}",
            segment.label,
        )
        rows.append("\t".join(map(str, cells)))
    return "\n".join(rows) + "\n"
