"""The progress line: on a terminal, after a second, and gone at the end; nowhere else."""

from __future__ import annotations

import io
import itertools
import sys
import time

import pytest

from workbench.progress import progress


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, seconds: float) -> str:
    """What forty items write, each taking so many seconds."""
    ticks = itertools.count(0.0, seconds)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    assert list(progress(range(40), 40, "inputs")) == list(range(40))
    return stream.getvalue()


def test_a_file_or_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch(monkeypatch, io.StringIO(), 1.0) == ""


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch(monkeypatch, Terminal(), 0.01) == ""


def test_what_is_long_is_counted_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = watch(monkeypatch, Terminal(), 0.5).split("\r")
    assert "inputs: 12 of 40" in [line.strip() for line in shown]
    assert shown[-1] == ""
    assert shown[-2].strip() == ""
    assert len(shown[-2]) >= len("inputs: 39 of 40")
