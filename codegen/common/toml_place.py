# SPDX-License-Identifier: Apache-2.0
"""TOML with line numbers: what tomllib reads, and the line on which every section, key and item stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError

Key = tuple[str | int, ...]  # ("gate", "threshold"); items of arrays by index: ("decision", "labels", 2)

MOST_DIGITS = 400
TOO_LARGE = "not usable TOML: a number too large or too long to be meant"
SMALLER = f"Whole numbers lie within 64 bits; others have up to {MOST_DIGITS} digits."

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")  # a number, boolean or date: up to what can follow it
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# A closing delimiter may follow one or two quotes that belong to the string.
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_WHERE = re.compile(r" \(at (?:(line \d+, column \d+)|end of document)\)$")


@dataclass(frozen=True)
class TomlFile:
    """A parsed file. Numbers with a point or exponent are Decimal, exactly as written (also inf and nan)."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[Key, int]  # from 1

    def line(self, *key: str | int) -> int | None:
        """The line of this section, key or item; where it is not written, of what would hold it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return self.lines[key[:length]]
        return None

    def place(self, *key: str | int) -> str:
        """What UserError calls a place: line 12, [gate] threshold. Without the line where it is not known."""
        line = self.line(*key)
        where = self._section_and_key(key)
        return where if line is None else f"line {line}, {where}"

    def _section_and_key(self, key: Key) -> str:
        value: Any = self.data
        tables: list[str] = []
        rest: list[str] = []
        for part in key:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
            array_of_tables = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
            if not rest and (isinstance(value, dict) or array_of_tables):
                if isinstance(part, str):
                    tables.append(part)
            elif isinstance(part, int):
                rest.append(f"item {part + 1}")
            elif not tables and len(key) > 1 and not rest:
                tables.append(part)
            else:
                rest.append(part)
        words = [f"[{'.'.join(tables)}]"] if tables else []
        return " ".join(words + rest)


def read_toml(path: Path) -> TomlFile:
    """Reads a file; UserError where it is missing, not UTF-8 or not TOML, with the line."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"byte 0x{raw[error.start]:02X} is not UTF-8",
            file=path,
            place=f"line {line}",
            remedy="Save the file as UTF-8 text.",
        ) from None
    return parse_toml(text, path)


def parse_toml(text: str, path: Path) -> TomlFile:
    """Parses a text; `path` is named in errors."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text, parse_float=Decimal)
        lines = _Scanner(text).scan()
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        last_line = text.rstrip("\n").count("\n") + 1
        raise UserError(
            f"not TOML: {_WHERE.sub('', str(error))}",
            file=path,
            place=where[1] if where and where[1] else f"line {last_line}",
            remedy='A section is [name] on its own line, a setting is key = value, text is in "quotes".',
        ) from None
    except ValueError:  # an integer of thousands of digits, which Python does not even read
        digits = re.search(r"[0-9_]{1000,}", text)
        line = text.count("\n", 0, digits.start() if digits else 0) + 1
        raise UserError(TOO_LARGE, file=path, place=f"line {line}", remedy=SMALLER) from None
    except RecursionError:
        raise UserError("not usable TOML: arrays or tables are nested too deeply", file=path) from None
    file = TomlFile(path, data, lines)
    for key, number in _numbers(data, ()):
        if not _is_usable(number):
            raise UserError(
                TOO_LARGE,
                file=path,
                place=file.place(*key),
                remedy=SMALLER,
            )
    return file


def _numbers(value: Any, key: Key) -> Iterator[tuple[Key, int | Decimal]]:
    """Every number and where it stands."""
    if isinstance(value, dict | list):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(inner, (*key, part))
    elif isinstance(value, int | Decimal):
        yield key, value


def _is_usable(number: int | Decimal) -> bool:
    """Nothing that is later made of it takes more than a moment."""
    if isinstance(number, int):
        return number.bit_length() <= 64
    if not number.is_finite():
        return True  # inf and nan are refused where a number is wanted
    _, digits, exponent = number.as_tuple()
    return len(digits) <= MOST_DIGITS and abs(int(exponent)) <= MOST_DIGITS


class _Scanner:
    """Walks a text that tomllib has accepted, so only valid TOML has to be understood."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted_to = 0
        self.line = 1
        self.lines: dict[Key, int] = {}
        self.tables: dict[Key, int] = {}  # arrays of tables: index of the newest

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        while True:
            self._blank()
            if self.at >= len(self.text):
                return self.lines
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._setting(table)

    def _header(self) -> Key:
        line = self._line_here()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        names = self._dotted_key()
        self.at += brackets
        key: Key = ()
        for name in names[:-1]:
            self.lines.setdefault((*key, name), line)
            key = self._newest((*key, name))
        key = (*key, names[-1])
        if brackets == 2:
            self.lines.setdefault(key, line)
            self.tables[key] = self.tables.get(key, -1) + 1
            key = self._newest(key)
        self.lines.setdefault(key, line)
        return key

    def _newest(self, key: Key) -> Key:
        return (*key, self.tables[key]) if key in self.tables else key

    def _setting(self, table: Key) -> None:
        line = self._line_here()
        key = table
        for name in self._dotted_key():
            key = (*key, name)
            self.lines.setdefault(key, line)
        self.at += 1  # =
        self._value(key)

    def _dotted_key(self) -> list[str]:
        """One or more names; stops at what follows the key."""
        names: list[str] = []
        while True:
            self._blank()
            bare = _BARE_KEY.match(self.text, self.at)
            if bare:
                names.append(bare[0])
                self.at = bare.end()
            else:
                quoted = self._skip_string()
                names.append(str(tomllib.loads(f"k = {quoted}")["k"]))
            self._blank()
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def _value(self, key: Key) -> None:
        self._blank()
        first = self.text[self.at]
        if first == "[":
            self._array(key)
        elif first == "{":
            self._inline_table(key)
        elif first in "\"'":
            self._skip_string()
        else:
            scalar = _SCALAR.match(self.text, self.at)
            assert scalar is not None
            self.at = scalar.end()

    def _array(self, key: Key) -> None:
        self.at += 1
        index = 0
        while True:
            self._blank()
            if self.text[self.at] == "]":
                break
            self.lines[(*key, index)] = self._line_here()
            self._value((*key, index))
            index += 1
            self._blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, key: Key) -> None:
        self.at += 1
        while True:
            self._blank()
            if self.text[self.at] == "}":
                break
            self._setting(key)
            self._blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _skip_string(self) -> str:
        for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL):
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found[0]
        raise AssertionError("tomllib accepted what is no string")

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _line_here(self) -> int:
        self.line += self.text.count("\n", self.counted_to, self.at)
        self.counted_to = self.at
        return self.line
