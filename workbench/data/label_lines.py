# SPDX-License-Identifier: Apache-2.0
"""A label file that is edited: a CSV or an Audacity label track, line by line.

Only the lines of a segment that changes are written anew. All others stay byte for byte as they are, also
those that cannot be read. A file that another program changed is never overwritten: it is read again.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.common.errors import UserError, printable
from workbench.data.label_csv import REQUIRED, SAMPLES, Header, header_of, read_csv, time_text
from workbench.data.label_track import read_track
from workbench.data.one_writer import one_writer
from workbench.data.segment import RateOf, Segment, below, checked
from workbench.data.selection_table import is_selection_table, read_table
from workbench.host.model_app import write_whole

_BOM = b"\xef\xbb\xbf"
_MEND = "Mend it in an editor, and save it."


class ChangedOutsideError(UserError):
    """Another program wrote the file. It has been read again; nothing was written."""


@dataclass(frozen=True)
class Line:
    """One line of the file, its end included. key: the same as long as the file is not read again."""

    key: int
    text: str


@dataclass(frozen=True)
class Edit:
    """Lines in place of others."""

    at: int  # index of the first
    removed: tuple[Line, ...]
    inserted: tuple[Line, ...]

    def reversed(self) -> Edit:
        """What takes it back."""
        return Edit(self.at, self.inserted, self.removed)


class LabelLines:
    """A label file, and the segments in it. `segments` pairs each with the key of its line."""

    def __init__(self, path: Path, rate_of: RateOf) -> None:
        """path: a .csv, or the .txt of a recording; it need not exist."""
        self.path = path
        self._rate_of = rate_of
        self._keys = itertools.count(1)
        self._raw: bytes | None = None  # the file as it was read or written last; None: there is none
        self._stamp: tuple[int, int] | None = None
        self._lines: list[Line] = []
        self._header: Header | None = None
        self.segments: tuple[tuple[int, Segment], ...] = ()
        self.sessions: tuple[str, ...] = ()  # of each row, also of those that cannot be read; "" where none
        self.errors: tuple[UserError, ...] = ()
        self.locked: UserError | None = None  # why nothing can be changed
        self._load()

    @property
    def is_track(self) -> bool:
        """Whether it is an Audacity label track, which is of one recording and has no sessions."""
        return self.path.suffix.lower() == ".txt"

    def refresh(self) -> bool:
        """Reads the file again where it was changed outside; whether it was."""
        return _stamp(self.path) != self._stamp and self._read_again()

    def _read_again(self) -> bool:
        """Whether the file is another than the one that was read or written last; then it is read."""
        try:
            same = self.path.read_bytes() == self._raw
        except FileNotFoundError:
            same = self._raw is None
        except OSError:
            same = False
        if same:
            self._stamp = _stamp(self.path)
        else:
            self._load()
        return not same

    def add(self, *segments: Segment) -> Edit:
        """New segments at the end, one or more, of one session. UserError where one cannot be; then nothing
        has changed."""
        for segment in segments:
            self._check(segment)
        first = segments[0]
        if self._header is None and not self.is_track:  # it stays when the segments are taken back
            columns = ",".join([*REQUIRED, *(["session"] if first.session else [])])
            self._become([self._line(f"{columns}\n")])
        header, lines = self._with_session_column(first)
        if lines and not lines[-1].text.endswith(("\n", "\r")):
            lines[-1] = replace(lines[-1], text=lines[-1].text + self._end)
        return self._become([*lines, *(self._line(self._text(header, one, {})) for one in segments)])

    def change(self, key: int, segment: Segment) -> Edit:
        """Another segment in place of the one with this key."""
        self._check(segment)
        first, last = self._rows()[self._index(key)]
        header, lines = self._with_session_column(segment)
        old = dict(zip(header.columns, self._cells(first, last), strict=False)) if header else {}
        kept = lines[first + 1 : last + 1] if self.is_track else []  # a label track's frequency range
        changed = Line(key, self._text(header, segment, old))
        return self._become([*lines[:first], changed, *kept, *lines[last + 1 :]])

    def remove(self, keys: Sequence[int]) -> Edit:
        """Without these segments."""
        if self.locked is not None:
            raise self.locked
        spans = [self._rows()[self._index(key)] for key in keys]
        gone = {number for first, last in spans for number in range(first, last + 1)}
        return self._become([line for number, line in enumerate(self._lines) if number not in gone])

    def apply(self, edit: Edit) -> None:
        """An edit again, or one that is taken back; the file is as it was after or before it. UserError where
        it cannot be written; then nothing has changed. ChangedOutsideError where somebody else wrote it."""
        if self.locked is not None:
            raise self.locked
        try:
            with one_writer(self.path.parent):
                self._write(edit)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=self.path) from None

    def _write(self, edit: Edit) -> None:
        """See apply. OSError where it cannot be written."""
        if self._read_again():
            raise ChangedOutsideError(
                "was changed by another program; it has been read again, and nothing was written",
                file=self.path,
                remedy="Look at it, and do the last step again.",
            )
        lines = [*self._lines[: edit.at], *edit.inserted, *self._lines[edit.at + len(edit.removed) :]]
        mark = _BOM if (self._raw or b"").startswith(_BOM) else b""
        raw = mark + "".join(line.text for line in lines).encode()
        write_whole(self.path.resolve(), raw)  # a link stays one
        self._lines, self._raw, self._stamp = lines, raw, _stamp(self.path)
        self._parse()

    def _check(self, segment: Segment) -> None:
        if self.locked is not None:
            raise self.locked
        check_words(segment.label, segment.session)
        checked(segment)

    def _index(self, key: int) -> int:
        index = next((number for number, line in enumerate(self._lines) if line.key == key), None)
        if index is None or index not in self._rows():
            raise UserError("the segment is not there any more", file=self.path)
        return index

    def _rows(self) -> dict[int, tuple[int, int]]:
        """By the index of a row's line (its last one, in a label track its first): its first and last."""
        if self.is_track:
            spans = {}
            for number, line in enumerate(self._lines):
                if line.text.strip() and not line.text.startswith("\\"):
                    start = number
                    spans[start] = (start, start)
                elif line.text.startswith("\\") and spans:  # the frequency range of the label before
                    spans[start] = (start, number)
            return spans
        if self._header is None:
            return {}
        ends = [end for _, end in self._csv_rows(self._header)]
        return {end: (before + 1, end) for before, end in itertools.pairwise([self._header.line - 1, *ends])}

    def _csv_rows(self, header: Header) -> Iterator[tuple[list[str], int]]:
        """Cells and index of the last line of each row below the header."""
        text = "".join(line.text for line in self._lines[header.line :])
        rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=header.separator)
        for row in rows:
            yield row, header.line + rows.line_num - 1

    def _sessions(self, header: Header) -> Iterator[str]:
        """See sessions."""
        place = header.columns.index("session") if "session" in header.columns else None
        for row, _ in self._csv_rows(header):
            if any(cell.strip() for cell in row):
                yield row[place].strip() if place is not None and place < len(row) else ""

    def _cells(self, first: int, last: int) -> list[str]:
        assert self._header is not None
        text = "".join(line.text for line in self._lines[first : last + 1])
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=self._header.separator))

    @property
    def _end(self) -> str:
        """How the file ends its lines."""
        return "\r\n" if any(line.text.endswith("\r\n") for line in self._lines[:2]) else "\n"

    def _line(self, text: str) -> Line:
        return Line(next(self._keys), text)

    def _with_session_column(self, segment: Segment) -> tuple[Header | None, list[Line]]:
        """The header and all lines, with a column session in each row where the segment has one and the file
        has not."""
        header, lines = self._header, list(self._lines)
        if header is None or not segment.session or "session" in header.columns:
            return header, lines
        texts = {header.line - 1: "session", **dict.fromkeys(self._rows(), "")}
        for number, text in texts.items():
            line = lines[number].text
            bare = line.rstrip("\r\n")
            if bare:
                lines[number] = replace(
                    lines[number], text=f"{bare}{header.separator}{text}{line[len(bare) :]}"
                )
        return replace(header, columns=(*header.columns, "session")), lines

    def _become(self, lines: Sequence[Line]) -> Edit:
        """These lines in place of those there are; the edit that makes them."""
        old = self._lines
        first = _alike(old, lines)
        last = _alike(old[first:][::-1], lines[first:][::-1])
        edit = Edit(first, tuple(old[first : len(old) - last]), tuple(lines[first : len(lines) - last]))
        self.apply(edit)
        return edit

    def _text(self, header: Header | None, segment: Segment, old: dict[str, str]) -> str:
        """The line of a segment. old: the cells of the row that it replaces."""
        rate = self._rate_of(segment.file)
        if header is None:
            start, end = (time_text(at, "seconds", rate) for at in (segment.start, segment.end))
            return f"{start}\t{end}\t{segment.label}{self._end}"
        unit = header.unit
        if "unit" in header.columns:
            unit, old = SAMPLES, {**old, "unit": SAMPLES}
        name = below(segment.file, self.path.parent)
        if name is None:
            raise UserError(f"{segment.file} does not lie below its folder", file=self.path)
        new = {
            "file": old.get("file", "").strip() or name,
            "start": time_text(segment.start, unit, rate),
            "end": time_text(segment.end, unit, rate),
            "label": segment.label,
            "session": segment.session,
        }
        text = io.StringIO(newline="")
        cells = [new.get(column, old.get(column, "")) for column in header.columns]
        csv.writer(text, delimiter=header.separator, lineterminator=self._end).writerow(cells)
        return text.getvalue()

    def _load(self) -> None:
        self._raw, self._stamp, self._lines = None, _stamp(self.path), []
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self._parse()
            return
        except OSError as error:
            self._lock(UserError(f"cannot be read: {error.strerror}", file=self.path))
            return
        self._raw = raw
        try:
            text = raw.removeprefix(_BOM).decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            what = f"byte 0x{raw[error.start]:02X} is not UTF-8"
            remedy = "Save the file as UTF-8 text."
            self._lock(UserError(what, file=self.path, place=f"line {line}", remedy=remedy))
            return
        if self.is_track:
            parts = text.split("\n")
            found = [f"{part}\n" for part in parts[:-1]] + parts[-1:]
        else:  # as read_csv counts lines
            found = text.splitlines(keepends=True)
            try:
                top = header_of(found, self.path).line if text.strip() else 0
            except UserError:
                top = 0
            found = [*found[:top], *io.StringIO("".join(found[top:]), newline="")]
        self._lines = [self._line(part) for part in found if part]
        self._parse()

    def _lock(self, error: UserError) -> None:
        """Nothing can be read, nor changed."""
        self.segments, self.errors, self._header, self.sessions = (), (error,), None, ()
        self.locked = error

    def _parse(self) -> None:
        """The segments of the lines; what cannot be read becomes errors."""
        text = "".join(line.text for line in self._lines)
        self.segments, self.errors, self.locked, self._header, self.sessions = (), (), None, None, ()
        if not text.strip():
            return
        try:
            if self.is_track and is_selection_table(text):
                found, errors = read_table(text, self.path, self._rate_of)
                self.locked = UserError(
                    "is a selection table of Raven, which is read and not written",
                    file=self.path,
                    remedy=f"`earshot data import {self.path.name} -o labels.csv` makes a CSV of "
                    "it, which can be edited.",
                )
            elif self.is_track:
                found, errors = read_track(text, self.path, self._rate_of)
                self.sessions = ("",) * len(found)
            else:
                found, errors = read_csv(text, self.path, self._rate_of)
                self._header = header_of(text.splitlines(keepends=True), self.path)
                self.sessions = tuple(self._sessions(self._header))
        except UserError as error:
            self.errors, self.locked = (error,), _with_remedy(error, _MEND)
            return
        except csv.Error:  # a quote that is not closed: which lines belong together is not known
            self.locked = _with_remedy(errors[-1], _MEND)
        self.segments = tuple((self._lines[one.line - 1].key, one) for one in found)
        self.errors = tuple(errors)


def check_words(label: str, session: str = "") -> None:
    """UserError where a new segment cannot have this label or session."""
    for name, text in (("label", label), ("session", session)):
        if text != text.strip() or not text.isprintable():
            raise UserError(
                f'"{printable(text)}" is no {name}', remedy="Take letters, digits, spaces and signs."
            )
    if not label:
        raise UserError("the label is empty", remedy="Say what the sound is.")


def _with_remedy(error: UserError, remedy: str) -> UserError:
    """The same fault with what to do about it here."""
    return UserError(error.what, file=error.file, place=error.place, remedy=remedy)


def _alike(ours: Sequence[Line], theirs: Sequence[Line]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(ours), len(theirs)))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
