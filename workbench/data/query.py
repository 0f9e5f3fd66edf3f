# SPDX-License-Identifier: Apache-2.0
"""Queries: which segments of a label file are meant, by what is known of them.

    label=knocking,mouse_click      one of these
    device!=phone                   none of these
    file=night_*                    * stands for anything
    author=                         those of nobody

Columns are file, label, role, session, author, and what label file and captures.csv have beside these. Upper
and lower case are alike. Several conditions must all hold. A query that has a name stands in queries.toml
beside the label file:

    [night]
    where = ["place=hall", "session!=test"]
"""

from __future__ import annotations

import argparse
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.toml_place import read_toml
from workbench.data.segment import RateOf, Segment, below
from workbench.host.model_app import write_whole

NAME = "queries.toml"
OWN = ("file", "label", "role", "session", "author")  # columns with a meaning; the others are free
NONE = "(none)"  # where a segment has nothing in a column
_CONDITION = re.compile(r"\s*([^=!]*[^=!\s])\s*(!?=)(.*)", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 12  # values in a message
_HOW = "Write COLUMN=VALUE, COLUMN!=VALUE, or several values: label=knocking,mouse_click."


@dataclass(frozen=True)
class Condition:
    """One that a segment must meet."""

    text: str  # as it was written
    column: str
    values: tuple[str, ...]
    wanted: bool  # False: none of these

    def holds(self, segment: Segment) -> bool:
        """Whether the segment meets it."""
        known = value_of(segment, self.column)
        return self.wanted == any(_like(known, value) for value in self.values)


@dataclass(frozen=True)
class Row:
    """What there is with one value of a column."""

    value: str
    segments: int
    seconds: float
    recordings: int
    authors: int  # those that are named
    sessions: Mapping[str, int]  # segments of each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--where and --query."""
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only segments with this: label=a,b device!=phone file=night_* (several: all must hold)",
    )
    parser.add_argument("--query", metavar="NAME", help=f"only those that this query of {NAME} means")


def conditions_of(args: argparse.Namespace) -> tuple[Condition, ...]:
    """Those of add_arguments. UserError where one is none, or there is no such query."""
    conditions = [condition(text) for text in args.where]
    if args.query is not None:
        conditions += stored(args.labels, args.query)
    return tuple(conditions)


def condition(text: str) -> Condition:
    """UserError where it is none."""
    parts = _CONDITION.fullmatch(text)
    if parts is None or not text.isprintable():
        raise UserError(f'"{text}" is no condition', remedy=_HOW)
    values = tuple(value.strip() for value in parts[3].split(","))
    return Condition(text, parts[1].strip(), values, parts[2] == "=")


def stored(labels: Path, name: str) -> list[Condition]:
    """The conditions of a query that stands beside a label file, or in a folder of label tracks."""
    file = _file(labels)
    if not file.is_file():
        raise UserError(
            f"there is no query {name}: the file is missing",
            file=file,
            remedy=f"`earshot data query {labels} --where COLUMN=VALUE --save {name}` makes it.",
        )
    toml = read_toml(file)
    table = toml.data.get(name)
    if not isinstance(table, dict):
        raise UserError(f"there is no query {name}", file=file, remedy=f"It has: {', '.join(toml.data)}.")
    texts = table.get("where")
    if set(table) != {"where"} or not isinstance(texts, list) or not texts:
        raise UserError(
            "a query has one key, where, with a list of conditions",
            file=file,
            place=toml.place(name),
            remedy='As in: where = ["place=hall", "session!=test"]',
        )
    found = []
    for number, text in enumerate(texts):
        if not isinstance(text, str) or _CONDITION.fullmatch(text) is None:
            place = toml.place(name, "where", number)
            raise UserError(f'"{text}" is no condition', file=file, place=place, remedy=_HOW)
        found.append(condition(text))
    return found


def save(labels: Path, name: str, conditions: Sequence[Condition]) -> Path:
    """Stores a query; the file. UserError where the name is taken, or can be none."""
    file = _file(labels)
    if not _KEY.fullmatch(name):
        raise UserError(f'"{name}" is no name of a query', remedy="Take letters, digits, - and _.")
    if not conditions:
        raise UserError("there is nothing to save: no condition is given", remedy=f"--where: {_HOW}")
    text = ""
    if file.is_file():
        if name in read_toml(file).data:
            raise UserError(f"has a query {name} already", file=file, remedy="Take another name, or edit it.")
        text = file.read_bytes().decode("utf-8-sig").rstrip() + "\n\n"
    listed = ", ".join(_quoted(one.text) for one in conditions)
    write_whole(file.resolve(), f"{text}[{name}]\nwhere = [{listed}]\n".encode())
    return file


def chosen(segments: Sequence[Segment], conditions: Sequence[Condition], labels: Path) -> tuple[Segment, ...]:
    """The segments that meet all conditions, at least one. UserError where none does, or a column is none."""
    columns = {name.casefold(): name for name in columns_of(segments)}
    for one in conditions:
        if one.column.casefold() not in columns:
            there = ", ".join(columns.values())
            what = f'"{one.text}": no segment has a column {one.column}'
            raise UserError(what, file=labels, remedy=f"Columns: {there}.")
        if not any(one.holds(segment) for segment in segments):
            known = sorted({value_of(segment, one.column) or NONE for segment in segments})
            more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
            name = columns[one.column.casefold()]
            remedy = f"Values of {name}: {', '.join(known[:_SHOWN])}{more}."
            raise UserError(f'no segment meets "{one.text}"', file=labels, remedy=remedy)
    found = tuple(segment for segment in segments if all(one.holds(segment) for one in conditions))
    if not found:
        all_ = " and ".join(f'"{one.text}"' for one in conditions)
        raise UserError(f"no segment meets {all_} at once", file=labels, remedy="Leave one of them out.")
    return found


def columns_of(segments: Iterable[Segment]) -> list[str]:
    """OWN, and what else is known of some segment."""
    return list(dict.fromkeys([*OWN, *(name for one in segments for name, _ in one.metadata)]))


def value_of(segment: Segment, column: str) -> str:
    """What a segment has in a column; "" for nothing. A recording is named relative to its label file."""
    name = column.casefold()
    if name == "file":
        return _named(segment.file, segment.source.parent)
    if name in OWN:
        return str(getattr(segment, name))
    return next((value for known, value in segment.metadata if known.casefold() == name), "")


def statistics(segments: Iterable[Segment], column: str, rate_of: RateOf) -> list[Row]:
    """What there is of each value of a column, in the order of the values. rate_of: at which the segments
    count samples."""
    groups: dict[str, list[Segment]] = {}
    for segment in segments:
        groups.setdefault(value_of(segment, column) or NONE, []).append(segment)
    rows = []
    for value in sorted(groups):
        own = groups[value]
        sessions: dict[str, int] = {}
        for segment in own:
            sessions[segment.session or NONE] = sessions.get(segment.session or NONE, 0) + 1
        rows.append(
            Row(
                value,
                len(own),
                sum(one.samples / rate_of(one.file) for one in own),
                len({one.file for one in own}),
                len({one.author for one in own} - {""}),
                sessions,
            )
        )
    return rows


@functools.cache
def _named(file: Path, folder: Path) -> str:
    return below(file, folder) or file.name


def _file(labels: Path) -> Path:
    return (labels if labels.is_dir() else labels.parent) / NAME


def _like(value: str, pattern: str) -> bool:
    """Alike but for case; * stands for anything."""
    parts = (re.escape(part) for part in pattern.casefold().split("*"))
    return re.fullmatch(".*".join(parts), value.casefold(), re.DOTALL) is not None


def _quoted(text: str) -> str:
    """As a string of TOML."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", plain) + '"'
