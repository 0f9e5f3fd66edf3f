# SPDX-License-Identifier: Apache-2.0
"""A command's arguments: in any order, where argparse alone takes those without a name from one place only;
and numbers, of which a wrong one is told in a person's words."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any


def whole(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """The type of an argument: a whole number from `low` to `high`, each of which may be left away."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"found {text!r}; a whole number{_range(low, high)} is allowed")
        return number

    return read


def real(
    low: float | None = None, high: float | None = None, *, above: bool = False
) -> Callable[[str], float]:
    """The type of an argument: a finite number from `low` to `high`; above: `low` itself is not allowed."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        under = low is not None and (number <= low if above else number < low)
        if not math.isfinite(number) or under or (high is not None and number > high):
            limits = _range(low, high, above=above)
            raise argparse.ArgumentTypeError(f"found {text!r}; a number{limits} is allowed")
        return number

    return read


def _range(low: float | None, high: float | None, *, above: bool = False) -> str:
    if low is None:
        return ""
    if high is None:
        return f" above {low:.15g}" if above else f" from {low:.15g} on"
    return f" above {low:.15g}, {high:.15g} at most," if above else f", {low:.15g}..{high:.15g},"


class Parser(argparse.ArgumentParser):
    """`replay a.wav --target qemu b.wav` means the same as `replay a.wav b.wav --target qemu`."""

    _halfway = False  # the pass for options, or the one for the rest, is under way

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.register("type", int, whole())
        self.register("type", float, real())

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """The values, and the words that nobody takes."""
        into_words = any(action.nargs in (argparse.PARSER, argparse.REMAINDER) for action in self._actions)
        if self._halfway or into_words:
            return super().parse_known_args(args, namespace)
        self._halfway = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._halfway = False
