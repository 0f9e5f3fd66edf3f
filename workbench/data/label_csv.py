# SPDX-License-Identifier: Apache-2.0
"""Label files with columns: a CSV with a header, as a program or a spreadsheet writes it.

Commas, semicolons or tabs separate the columns, as the header shows. Start and end count samples, unless a
column `unit` or the header's words say seconds or milliseconds: start_s, "start (ms)".
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.segment import RateOf, Segment, checked, fault

REQUIRED = ("file", "start", "end", "label")
_KNOWN = (*REQUIRED, "unit", "role", "session", "author", "")  # the other columns are metadata
LONGEST_NAME = 200  # characters of a name that a message repeats
HEADER_REMEDY = (
    "The first line names the columns: file,start,end,label and, where known, role,session,author; "
    "start and end are samples."
)
SAMPLES = "samples"
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("sample", "samples", "frames"), SAMPLES),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "milliseconds"),
}
_PER_SECOND = {"seconds": 1, "milliseconds": 1000}
_SEPARATORS = ",;\t"
_TIMED = re.compile(rf"(start|end)[ _]*[(\[]?({'|'.join(UNITS)})[)\]]?")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,12})?", re.ASCII)
_SECONDS_REMEDY = (
    "Start and end are whole numbers of samples from 0. For seconds name the columns start_s and end_s, or "
    "add a column unit with s in it."
)


@dataclass(frozen=True)
class _Place:
    """A line of a label file."""

    path: Path
    line: int
    sample_rate: int  # of its recording, where times stand in it


@dataclass(frozen=True)
class Header:
    """The columns' names in lower case, with start and end by themselves; what separates them; the unit."""

    columns: tuple[str, ...]
    separator: str
    unit: str  # SAMPLES, "seconds" or "milliseconds"
    line: int  # on which it stands


def header_of(lines: Sequence[str], path: Path) -> Header:
    """The header of a file's lines. UserError where it is none."""
    first = next((number for number, line in enumerate(lines) if line.strip(" \t\r\n")), None)
    if first is None:
        raise UserError("is empty", file=path, remedy=HEADER_REMEDY)
    named = re.fullmatch(r"sep=(.)", lines[first].strip(), re.IGNORECASE)  # a spreadsheet's own first line
    if named:
        first += 1
    return _header(lines[first] if first < len(lines) else "", named[1] if named else None, path, first + 1)


def time_text(sample: int, unit: str, sample_rate: int) -> str:
    """A sample number as read_csv reads it in a unit: to a microsecond, which is less than a sample."""
    if unit == SAMPLES:
        return str(sample)
    digits = 6 if unit == "seconds" else 3
    return f"{sample * _PER_SECOND[unit] / sample_rate:.{digits}f}"


def read_csv(text: str, path: Path, rate_of: RateOf) -> tuple[list[Segment], list[UserError]]:
    """The segments, and the faults of the lines. UserError where the header is at fault."""
    lines = text.splitlines(keepends=True)
    header = header_of(lines, path)
    first = header.line
    rows = csv.reader(
        io.StringIO("".join(lines[first:]), newline=""), strict=True, delimiter=header.separator
    )
    segments: list[Segment] = []
    errors: list[UserError] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            try:
                segments.append(_segment(header, row, path, first + rows.line_num, rate_of))
            except UserError as error:
                errors.append(error)
    except csv.Error as error:
        remedy = f'{_name(header.separator)} separate the fields; a field with one in it stands in "quotes".'
        errors.append(fault(f"not CSV: {error}", path, first + rows.line_num, remedy))
    return segments, errors


def _header(line: str, separator: str | None, path: Path, number: int) -> Header:
    """By the separator that makes the columns wanted; by the one that makes most columns where none does."""
    tried = [_columns(line, one) for one in (separator or _SEPARATORS)]
    columns, units, used = next(
        (found for found in tried if set(REQUIRED) <= set(found[0])), max(tried, key=lambda f: len(f[0]))
    )
    missing = [name for name in REQUIRED if name not in columns]
    double = sorted({name for name in columns if name and columns.count(name) > 1})
    if missing or double:
        what = f"the column {missing[0]} is missing" if missing else f"two columns are named {double[0]}"
        raise fault(f"{what}; found: {', '.join(columns)}", path, number, HEADER_REMEDY)
    if len(units) > 1:
        what = f"start and end are in {' and '.join(sorted(units))}"
        raise fault(what, path, number, "Tell both in the same unit.")
    return Header(tuple(columns), used, next(iter(units), SAMPLES), number)


def _columns(line: str, separator: str) -> tuple[list[str], set[str], str]:
    """The header's names by one separator, and the units of start and end as far as they tell one."""
    try:
        cells = next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        cells = []
    names, units = [], set()
    for cell in cells:
        name = cell.strip().casefold()
        timed = _TIMED.fullmatch(name)
        names.append(timed[1] if timed else name)
        if timed:
            units.add(UNITS[timed[2]])
        elif name in ("start", "end"):
            units.add(SAMPLES)
    return names, units, separator


def _segment(header: Header, row: list[str], path: Path, line: int, rate_of: RateOf) -> Segment:
    if len(row) != len(header.columns):
        what = f"{len(row)} fields, the header names {len(header.columns)}"
        remedy = f'{_name(header.separator)} separate the fields; a field with one in it stands in "quotes".'
        raise fault(what, path, line, remedy)
    cell = {name: value.strip() for name, value in zip(header.columns, row, strict=True)}
    recording = path.parent / cell["file"]
    if not os.path.isfile(recording):  # noqa: PTH113 - a name too long for the system is none, too
        what = f"there is no recording {_short(cell['file'])}" if cell["file"] else "file is empty"
        raise fault(what, path, line, "Name a recording, relative to the label file.")
    unit = header.unit
    if cell.get("unit"):
        unit = UNITS.get(cell["unit"].casefold(), "")
    if not unit:
        remedy = f"Known units: samples, s, ms (also {', '.join(name for name in UNITS if len(name) > 2)})."
        raise fault(f'unit is "{cell["unit"]}"', path, line, remedy)
    place = _Place(path, line, 0 if unit == SAMPLES else rate_of(recording))
    start, end = (_sample(name, cell[name], unit, place) for name in ("start", "end"))
    return checked(
        Segment(
            recording,
            start,
            end,
            cell["label"],
            role=cell.get("role", ""),
            session=cell.get("session", ""),
            author=cell.get("author", ""),
            source=path,
            line=line,
            timed=unit != SAMPLES,
            metadata=tuple((name, text) for name, text in cell.items() if name not in _KNOWN and text),
        )
    )


def _sample(name: str, text: str, unit: str, place: _Place) -> int:
    """A cell of the column `name` as a sample."""
    if unit == SAMPLES:
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise fault(f'{name} is "{text}", not a sample number', place.path, place.line, _SECONDS_REMEDY)
        return int(text)
    if not _NUMBER.fullmatch(text):
        remedy = f"Times are {unit} from 0, such as 12.5."
        raise fault(f'{name} is "{text}", not a time in {unit}', place.path, place.line, remedy)
    return round(Fraction(text.replace(",", ".")) * place.sample_rate / _PER_SECOND[unit])


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}... ({len(name)} characters)"


def _name(separator: str) -> str:
    return {",": "Commas", ";": "Semicolons", "\t": "Tabs"}.get(separator, f'"{separator}"')
