# SPDX-License-Identifier: Apache-2.0
"""captures.csv beside a label file: what is known of each recording, a row a file.

    file,device,place,person
    monday.wav,xg24,hall,Ann

Columns are free. They can be asked for by queries; `author` (or `person`, where there is no author) is who
recorded it, whom a split never tears apart.
"""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.one_writer import one_writer
from workbench.data.segment import Segment
from workbench.host.model_app import write_whole

NAME = "captures.csv"
_REMEDY = "The first line names the columns: file, and what is known: device, place, person, author, ..."


@dataclass(frozen=True)
class _Table:
    """The file as it is, line by line."""

    raw: bytes
    lines: list[str]  # with their ends
    header: list[str]  # names of the columns, without spaces around them
    top: int  # number of the header's last line, from 1
    rows: list[tuple[int, list[str]]]  # of each row its last line and its cells


def captures(folder: Path) -> Mapping[Path, Mapping[str, str]]:
    """By recording; nothing where there is no such table. UserError where it is broken."""
    file = folder / NAME
    table = _read(file)
    if table is None:
        return {}
    found: dict[Path, Mapping[str, str]] = {}
    for line, row in table.rows:
        cells = {name: cell.strip() for name, cell in zip(table.header, row, strict=True) if name}
        recording = folder / cells.pop("file")
        if not recording.is_file():
            raise UserError(
                f"there is no recording {recording.name}",
                file=file,
                place=f"line {line}",
                remedy="Name a recording, relative to this table.",
            )
        if recording in found:
            raise UserError(
                f"{recording.name} stands here twice",
                file=file,
                place=f"line {line}",
                remedy="Keep one row.",
            )
        found[recording] = {name: value for name, value in cells.items() if value}
    return found


def check_captures(folder: Path) -> None:
    """UserError where the folder has a table to which no row can be added."""
    _read(folder / NAME)


def add_capture(folder: Path, known: Mapping[str, str]) -> None:
    """A row more; columns that are new are added to all rows, and nothing else of the file changes. known: by
    column, with "file". UserError where the table is broken or cannot be written; then it is as before."""
    file = folder / NAME
    try:
        with one_writer(folder):
            table = _read(file) or _Table(b"", ["file\n"], ["file"], 1, [])
            mark = codecs.BOM_UTF8 if table.raw.startswith(codecs.BOM_UTF8) else b""
            write_whole(file.resolve(), mark + _with_row(table, known).encode())  # a link stays one
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None


def _with_row(table: _Table, known: Mapping[str, str]) -> str:
    """The file's text with this row more."""
    end = "\r\n" if table.lines[0].endswith("\r\n") else "\n"
    new = [name for name in known if name not in table.header]
    lines = list(table.lines)
    wider = [(table.top, new), *((number, [""] * len(new)) for number, _ in table.rows)]
    for number, cells in wider if new else ():
        line = lines[number - 1]
        bare = line.rstrip("\r\n")
        lines[number - 1] = bare + _csv_line(["", *cells], line[len(bare) :])
    if not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    columns = [*table.header, *new]
    return "".join([*lines, _csv_line([known.get(name, "") for name in columns], end)])


def _csv_line(cells: Sequence[str], end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerow(cells)
    return text.getvalue()


def _read(file: Path) -> _Table | None:
    """None: there is none. UserError where it is broken."""
    if not file.exists():
        return None
    try:
        raw = file.read_bytes()
        lines = list(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        reader = csv.reader(lines, strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"is no CSV: {error}", file=file, remedy=_REMEDY) from None
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if "file" not in header:
        raise UserError("the column file is missing", file=file, place="line 1", remedy=_REMEDY)
    top, *rows = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    for line, row in rows:
        if len(row) != len(header):
            what = f"{len(row)} fields, the header names {len(header)}"
            raise UserError(what, file=file, place=f"line {line}", remedy=_REMEDY)
    return _Table(raw, lines, header, top[0], rows)


def with_captures(segments: Iterable[Segment]) -> list[Segment]:
    """The segments with what the tables beside their label files tell of their recordings."""
    tables: dict[Path, Mapping[Path, Mapping[str, str]]] = {}
    whole = []
    for segment in segments:
        folder = segment.source.parent
        if folder not in tables:
            tables[folder] = captures(folder)
        known = {**tables[folder].get(segment.file, {}), **dict(segment.metadata)}
        author = segment.author or known.get("author", "") or known.get("person", "")
        known.pop("author", None)
        whole.append(dataclasses.replace(segment, author=author, metadata=tuple(known.items())))
    return whole
