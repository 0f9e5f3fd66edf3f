"""One line on stderr while something long runs, where a person looks at it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
_AFTER = 1.0  # seconds before anything is shown
_EVERY = 0.1


def remark(text: str) -> None:
    """A line on stderr that is no error."""
    print(f"earshot: {text}", file=sys.stderr, flush=True)


def progress(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """The items; "what: 12 of 40" on a terminal, gone when it is done."""
    if not sys.stderr.isatty():
        yield from items
        return
    shown = time.monotonic() + _AFTER - _EVERY
    width = 0
    try:
        for count, item in enumerate(items):
            now = time.monotonic()
            if now - shown >= _EVERY:
                shown = now
                line = f"{what}: {count} of {total}"
                width = max(width, len(line))
                print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
            yield item
    finally:
        if width:
            print(f"\r{'':<{width}}\r", end="", file=sys.stderr, flush=True)
