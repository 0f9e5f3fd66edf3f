# SPDX-License-Identifier: Apache-2.0
"""captures.csv beside a label file: what is known of each recording, a row a file.

    file,device,place,person
    monday.wav,xg24,hall,Ann

Columns are free. They can be asked for by queries; `author` (or `person`, where there is no author) is who
recorded it, whom a split never tears apart.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.segment import Segment

NAME = "captures.csv"
_REMEDY = "The first line names the columns: file, and what is known: device, place, person, author, ..."


def captures(folder: Path) -> Mapping[Path, Mapping[str, str]]:
    """By recording; nothing where there is no such table. UserError where it is broken."""
    file = folder / NAME
    if not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8-sig") as stream:
        try:
            rows = list(csv.reader(stream, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"is no CSV: {error}", file=file, remedy=_REMEDY) from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    if "file" not in header:
        raise UserError("the column file is missing", file=file, place="line 1", remedy=_REMEDY)
    found: dict[Path, Mapping[str, str]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            what = f"{len(row)} fields, the header names {len(header)}"
            raise UserError(what, file=file, place=f"line {number}", remedy=_REMEDY)
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True) if name}
        recording = folder / cells.pop("file")
        if not recording.is_file():
            raise UserError(
                f"there is no recording {recording.name}",
                file=file,
                place=f"line {number}",
                remedy="Name a recording, relative to this table.",
            )
        if recording in found:
            raise UserError(
                f"{recording.name} stands here twice",
                file=file,
                place=f"line {number}",
                remedy="Keep one row.",
            )
        found[recording] = {name: value for name, value in cells.items() if value}
    return found


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
