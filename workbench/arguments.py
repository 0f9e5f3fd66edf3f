# SPDX-License-Identifier: Apache-2.0
"""A command's arguments in any order: argparse alone takes those without a name from one place only."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """`replay a.wav --target qemu b.wav` means the same as `replay a.wav b.wav --target qemu`."""

    _halfway = False  # the pass for options, or the one for the rest, is under way

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
