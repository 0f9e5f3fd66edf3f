# SPDX-License-Identifier: Apache-2.0
"""What a key of pipeline.toml takes: types and ranges, and the words for a value that does not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

LABELS_MAX = 255  # a class index is a byte, 0 is Unknown
LABEL_LENGTH_MAX = 32
UNKNOWN = "Unknown"
_DECIMALS_MAX = 18
_CHARACTERS = {
    " ": "a space",
    "\t": "a tab",
    "\n": "a line end",
    "\\": "a backslash",
    '"': "a quote",
    "'": "a quote",
}
_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?ms")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class UnfitError(Exception):
    """A value that does not fit its key. `item` is its index where the value is an array."""

    def __init__(self, what: str, remedy: str | None = None, item: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.item = item


def found(value: Any) -> str:
    """A value as a person wrote it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:37]}..."'
    if isinstance(value, int | Decimal):
        text = str(value)
        return text if len(text) <= 40 else f"{text[:37]}..."
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else "a date or time"


def did_you_mean(word: str, words: list[str]) -> str | None:
    """The nearest of the words as a sentence, if one is near."""
    near = get_close_matches(word.lower(), words, n=1)
    return f"Did you mean {near[0]}?" if near else None


def _unquoted(value: Any, key: str) -> str | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"Write it without quotes: {key} = {value}"
    return None


@dataclass(frozen=True)
class Whole:
    """An integer in low..high. listed: what to do where somebody wrote an array."""

    low: int
    high: int
    unit: str = ""
    listed: str | None = None
    type_name = "integer"

    @property
    def range(self) -> str:
        return f"{self.low}..{self.high}"

    @property
    def allowed(self) -> str:
        return f"a whole number{f' of {self.unit}' if self.unit else ''}, {self.range}, is allowed"

    def read(self, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            remedy = _unquoted(value, key)
            if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
                remedy = f"Write {key} = {value.to_integral_value():f}"
            if isinstance(value, list) and self.listed is not None:
                remedy = self.listed
            raise UnfitError(f"found {found(value)}; {self.allowed}", remedy)
        if not self.low <= value <= self.high:
            raise UnfitError(f"{found(value)} is out of range; {self.allowed}")
        return value


@dataclass(frozen=True)
class Milliseconds:
    """A time in place of a number of samples."""

    text: str  # as it was written
    time: Decimal
    limits: Whole

    def samples(self, key: str, rate: int) -> int:
        """The whole samples that it lasts at a rate in Hz. UnfitError where they are not, or out of range."""
        count = self.time * rate / 1000
        lasts = f"{found(self.text)} at {rate} Hz is {count.normalize():f} samples"
        if not self.limits.low <= count <= self.limits.high:
            raise UnfitError(f"{lasts}; {self.limits.allowed}")
        if count != int(count):
            raise UnfitError(f"{lasts}; a window has whole ones", f"Write them: {key} = {int(count)}")
        return int(count)


@dataclass(frozen=True)
class Samples:
    """A number of samples in low..high, or the time that they last."""

    low: int
    high: int
    type_name = "integer, or text"
    unit = "samples"

    @property
    def range(self) -> str:
        return self._whole.range

    @property
    def _whole(self) -> Whole:
        return Whole(self.low, self.high, self.unit)

    def read(self, key: str, value: Any) -> int | Milliseconds:
        if not isinstance(value, str):
            return self._whole.read(key, value)
        written = _TIME.fullmatch(value)
        if written is None:
            what = f'found {found(value)}; {self._whole.allowed}, or a time: "25 ms"'
            raise UnfitError(what, _unquoted(value, key))
        return Milliseconds(value, Decimal(written[1]), self._whole)


@dataclass(frozen=True)
class OneOf:
    """An integer of a few."""

    values: tuple[int, ...]
    unit: str = ""
    type_name = "integer"

    @property
    def range(self) -> str:
        return ", ".join(str(value) for value in self.values)

    def read(self, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in self.values:
            raise UnfitError(f"found {found(value)}; one of {self.range} is allowed", _unquoted(value, key))
        return value


@dataclass(frozen=True)
class Real:
    """A number in low..high, as a Decimal."""

    low: str
    high: str
    unit: str = ""
    type_name = "number"

    @property
    def range(self) -> str:
        return f"{self.low}..{self.high}"

    @property
    def allowed(self) -> str:
        return f"a number{f' of {self.unit}' if self.unit else ''}, {self.range}, is allowed"

    def read(self, key: str, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise UnfitError(f"found {found(value)}; {self.allowed}", _unquoted(value, key))
        number = Decimal(value)
        if not number.is_finite() or not Decimal(self.low) <= number <= Decimal(self.high):
            raise UnfitError(f"{found(value)} is out of range; {self.allowed}")
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -_DECIMALS_MAX:
            raise UnfitError(f"{found(value)} has more than {_DECIMALS_MAX} decimals")
        return number


@dataclass(frozen=True)
class Flag:
    """true or false."""

    type_name = "boolean"
    unit = ""
    range = "true, false"

    def read(self, key: str, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        remedy = None
        if isinstance(value, str) and value.lower() in ("true", "false"):
            remedy = f"Write it without quotes: {key} = {value.lower()}"
        elif value in (0, 1):
            remedy = f"Write {key} = {'true' if value else 'false'}"
        raise UnfitError(f"found {found(value)}; true or false is allowed", remedy)


@dataclass(frozen=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]
    type_name = "string"
    unit = ""

    @property
    def range(self) -> str:
        return ", ".join(f'"{word}"' for word in self.words)

    def read(self, key: str, value: Any) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        remedy = did_you_mean(value, list(self.words)) if isinstance(value, str) else None
        raise UnfitError(f"found {found(value)}; allowed: {self.range}", remedy)


@dataclass(frozen=True)
class FileName:
    """A path, relative to the app's folder."""

    type_name = "string"
    unit = ""
    range = "a path, from the app's folder"

    def read(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            example = f'{key} = "model.tflite"'
            raise UnfitError(f"found {found(value)}; a file's name in quotes is allowed: {example}")
        if not value or "\0" in value:
            raise UnfitError(f"the name is {'empty' if not value else 'not one of a file'}")
        return value


@dataclass(frozen=True)
class End:
    """One of several outputs."""

    type_name = "integer, or text"
    unit = ""
    range = "a number from 0, or a name"

    def read(self, key: str, value: Any) -> int | str:
        if (isinstance(value, str) and value) or (type(value) is int and value >= 0):
            return value
        raise UnfitError(f"found {found(value)}; an output's number, from 0, or its name is allowed")


@dataclass(frozen=True)
class Labels:
    """An array of distinct names."""

    type_name = "array of strings"
    unit = ""
    range = f"1..{LABELS_MAX} names of 1..{LABEL_LENGTH_MAX} characters"

    def read(self, key: str, value: Any) -> tuple[str, ...]:
        """Raises the first label's fault; see `faults` for all."""
        faults = self.faults(key, value)
        if faults:
            raise faults[0]
        return tuple(value)

    def faults(self, key: str, value: Any) -> list[UnfitError]:
        """What is wrong with the array or each of its items."""
        example = f'{key} = ["knocking", "noise"]'
        if not isinstance(value, list):
            return [UnfitError(f"found {found(value)}; an array is allowed: {example}")]
        if not 1 <= len(value) <= LABELS_MAX:
            return [
                UnfitError(
                    f"{len(value)} labels; 1..{LABELS_MAX} are allowed",
                    f"List one label an output of the model: {example}",
                )
            ]
        faults: list[UnfitError] = []
        seen: dict[str, int] = {}
        for item, label in enumerate(value):
            fault = self._fault(label)
            if fault is None and label in seen:
                fault = f"{found(label)} is already item {seen[label] + 1}; labels are distinct"
            if fault is not None:
                remedy = f'Name it otherwise: "{label.lower()}" is free' if label == UNKNOWN else None
                faults.append(UnfitError(fault, remedy, item))
            else:
                seen[label] = item
        return faults

    @staticmethod
    def _fault(label: Any) -> str | None:
        if not isinstance(label, str):
            return f"found {found(label)}; a label is text in quotes"
        if not label:
            return "the label is empty"
        if len(label) > LABEL_LENGTH_MAX:
            return f"{found(label)} has {len(label)} characters; {LABEL_LENGTH_MAX} are allowed"
        for character in label:
            if not "!" <= character <= "~" or character in "\"'\\":
                name = _CHARACTERS.get(character, ascii(character))
                allowed = "ASCII letters, digits and signs are allowed, but no quotes and backslashes"
                return f"{found(label)} holds {name}; {allowed}"
        if label == UNKNOWN:
            return f"{found(UNKNOWN)} is the word for a decision below its threshold"
        return None


@dataclass(frozen=True)
class Thresholds:
    """A number for all labels or an array of one a label, as Decimals."""

    type_name = "number, or array of them"
    unit = ""
    range: str = "0..1; one for all labels or one a label"
    number: Real = Real("0", "1")
    shares: bool = True
    of: str = "label"

    def read(self, key: str, value: Any) -> Decimal | tuple[Decimal, ...]:
        """Raises the first item's fault."""
        if not isinstance(value, list):
            return self._number(key, value, None)
        if not value:
            raise UnfitError(f"the array is empty; a number, or one a {self.of}, is allowed")
        return tuple(self._number(key, number, item) for item, number in enumerate(value))

    def _number(self, key: str, value: Any, item: int | None) -> Decimal:
        try:
            return self.number.read(key, value)
        except UnfitError as fault:
            percent = not isinstance(value, bool) and isinstance(value, int | Decimal)
            if self.shares and percent and Decimal(value).is_finite() and 1 < value <= 100:
                fault.remedy = f"It is a share, not per cent: {Decimal(value) / 100}"
            fault.item = item
            raise


Rule = Whole | Samples | OneOf | Real | Flag | Word | FileName | End | Labels | Thresholds
