# SPDX-License-Identifier: Apache-2.0
"""The end of a session: whatever ended it, what happened is told and the terminal is as before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from tests.workbench.live.test_monitor import LABELS, decision
from workbench.live.clips import Clips
from workbench.live.controls import Control
from workbench.live.events import Event, Mark, Received
from workbench.live.monitor import Monitor
from workbench.live.run import watch
from workbench.live.takes import Takes
from workbench.live.view import News, View


class Source:
    """A sound that was decided wrong, and nothing else."""

    over = False
    now = 1.0

    def events(self, timeout: float) -> list[Event]:
        """See Source."""
        self.over = True
        return [Received(0.5, decision(1)), Mark(0.9, "knocking")]

    def send(self, text: str) -> list[Event]:
        """See Source."""
        return []

    def close(self) -> None:
        """See Source."""


class Output:
    """What was asked of it, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def tell(self, news: Sequence[News]) -> None:
        """See Output."""
        self.asked += [f"told {one.kind}" for one in news]

    def show(self, view: View) -> None:
        """See Output."""

    def close(self, view: View) -> None:
        """See Output."""
        self.asked.append(f"closed {view.decisions}")


class Heard:
    """A second of it."""

    def cut(self, start: float, end: float) -> NDArray[np.int16]:
        """See Heard."""
        return np.zeros(100, np.int16)


def nothing(monitor: Monitor) -> list[Control]:
    return []


def test_a_clip_that_the_disk_refuses_costs_no_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.live.takes.write_whole", full)
    output, monitor = Output(), Monitor(LABELS)
    clips = Clips(Heard(), Takes(tmp_path, LABELS[0], None, {}), 100)
    with pytest.raises(UserError, match="No space left on device"):
        watch(Source(), monitor, output, nothing, clips=clips)
    assert output.asked[-1] == "closed 1"
    assert any(one.startswith("told") for one in output.asked)


def test_a_pipe_that_is_gone_leaves_the_terminal_as_before() -> None:
    class Gone(Output):
        """Nobody reads what is told."""

        def tell(self, news: Sequence[News]) -> None:
            """See Output."""
            raise BrokenPipeError

    output = Gone()
    with pytest.raises(BrokenPipeError):
        watch(Source(), Monitor(LABELS), output, nothing)
    assert output.asked == ["closed 1"]
