# SPDX-License-Identifier: Apache-2.0
"""Values of a pipeline.toml replaced in its text: all else in it stays as its author wrote it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from codegen.app.spec import Decision
from codegen.app.tables.decision import NEVER, Score
from codegen.common.errors import UserError

Value = int | Decimal | list[Decimal]
Values = Mapping[tuple[str, str], Value]  # (section, key) -> value

LARGEST_ERROR = 1_000_000  # of an anomaly's threshold in the file

_MARK = "\ufeff"  # some editors begin a file with it

_SECTION = re.compile(r"^[ \t]*\[[ \t]*([A-Za-z0-9_.-]+)[ \t]*\][ \t]*(?:#.*)?$")
_CLASSIFIER = re.compile(r"^[ \t]*\[\[[ \t]*classifier[ \t]*\]\]")
_SCALAR = r"[^\s#\[]+"
_ARRAY = r"\[[^\]]*\]"  # of numbers: nothing in it can hold a bracket but a comment


def thresholds(limits: Sequence[int], decision: Decision, score: Score) -> list[Decimal]:
    """Of each label what accepts from this score on: what [decision] has, where that is the same limit."""
    own = zip(limits, score.limits(decision), map(_decimal, decision.thresholds), strict=True)
    return [share if limit == was else threshold_of(limit, score) for limit, was, share in own]


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / Decimal(share.denominator)


def threshold_of(limit: int, score: Score) -> Decimal:
    """The shortest decimal that accepts from this score on, and from no lower one."""
    if score.never == NEVER and limit >= NEVER:
        return Decimal(1)
    middle = score.exact(limit - Fraction(1, 2))
    if score.never != NEVER and middle > LARGEST_ERROR:
        if limit < score.never:
            raise UserError(
                f"the error that was chosen, {float(middle):,.0f}, is more than a threshold can be",
                remedy=f"It takes {LARGEST_ERROR:,} at most; the model's input counts in large steps.",
            )
        return Decimal(LARGEST_ERROR)
    for digits in range(2, 40):
        share = Decimal(round(max(middle, Fraction(0)) * 10**digits)).scaleb(-digits)
        if score.limit(Fraction(share)) == limit:
            return share
    return Decimal(0)  # the lowest score of all is accepted


def replaced(file: Path, values: Values, comment: str, classifier: int | None = None) -> str:
    """The file's text with these values, new keys at the end of their section, and the comment as the
    first line of each section that changes; line ends and a byte order mark stay as they are. UserError where
    its spelling is beyond this: nothing is written.

    classifier: of several the number of the one whose own sections are meant, [classifier.decision] in place
    of [decision]
    """
    whole = file.read_bytes().decode("utf-8")
    text = whole.removeprefix(_MARK)
    before = text
    wanted = tomllib.loads(text, parse_float=Decimal)
    sections: list[str] = []
    own = wanted if classifier is None else wanted["classifier"][classifier]
    for (section, key), value in values.items():
        if classifier is not None and section not in own:
            lines = "; ".join(f"{name} = {written(value)}" for (_, name), value in values.items())
            raise UserError(
                f"its [{section}] is of several classifiers, and this is for one of them",
                file=file,
                remedy=f"Copy it below that [[classifier]] as [classifier.{section}], with {lines}.",
            )
        table = own.setdefault(section, {})
        if isinstance(table, dict) and table.get(key) == value:
            continue
        if isinstance(table, dict):
            table[key] = value
        sections.append(section)
        text = _with_value(text, (section, classifier), key, written(value))
    for section in dict.fromkeys(sections):
        text = _with_comment(text, (section, classifier), comment)
    if _read(text) != wanted:
        raise _by_hand("is written in a way that cannot be edited here", file, values, classifier is not None)
    return text if len(whole) == len(before) else _MARK + text


def _by_hand(what: str, file: Path, values: Values, several: bool) -> UserError:
    prefix = "classifier." if several else ""
    lines = (f"[{prefix}{section}] {key} = {written(value)}" for (section, key), value in values.items())
    return UserError(what, file=file, remedy="Write these into it: " + "; ".join(lines))


def written(value: Value) -> str:
    """As TOML."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError:
        return None


_Section = tuple[str, int | None]  # its name, and of several classifiers the number of the one that has it


def _bounds(text: str, wanted: _Section) -> tuple[int, int] | None:
    """Where a section's lines begin, after its header, and where they end."""
    section, classifier = wanted
    name = section if classifier is None else f"classifier.{section}"
    start = None
    at = 0
    number = -1  # of the classifiers so far
    for line in text.splitlines(keepends=True):
        header = _SECTION.match(line.rstrip("\r\n"))
        opens = line.lstrip().startswith("[") and ("=" not in line or _CLASSIFIER.match(line))
        if opens and header is None and start is not None:
            header = re.match(r"()", line)  # an array of tables, or a header beyond us: the section ends
        number += _CLASSIFIER.match(line) is not None
        if header:
            if start is not None and header[1] != name:
                return start, at
            if header[1] == name and classifier in (None, number):
                start = at + len(line)
        at += len(line)
    return None if start is None else (start, at)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _with_value(text: str, section: _Section, key: str, value: str) -> str:
    bounds = _bounds(text, section)
    if bounds is None:
        end_ = _line_end(text)
        return f"{text.rstrip()}{end_}{end_}[{section[0]}]{end_}{key} = {value}{end_}"
    start, end = bounds
    body = text[start:end]
    there = re.search(rf"^([ \t]*{re.escape(key)}[ \t]*=[ \t]*)({_ARRAY}|{_SCALAR})", body, re.MULTILINE)
    if there:
        body = body[: there.start(2)] + value + body[there.end(2) :]
    else:
        kept, end_ = body.rstrip(), _line_end(text)
        rest = body[len(kept) :].removeprefix(end_)
        body = f"{kept}{end_}{key} = {value}{end_}{rest}".removeprefix(end_)
    return text[:start] + body + text[end:]


def _with_comment(text: str, section: _Section, comment: str) -> str:
    """After the section's header; one from before is replaced."""
    bounds = _bounds(text, section)
    if bounds is None:  # written in some other way, which is told
        return text
    mark = comment.split(":", 1)[0] + ":"
    body = text[bounds[0] : bounds[1]]
    lines = [line for line in body.splitlines(keepends=True) if not line.startswith(mark)]
    return text[: bounds[0]] + comment + _line_end(text) + "".join(lines) + text[bounds[1] :]
