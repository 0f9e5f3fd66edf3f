# SPDX-License-Identifier: Apache-2.0
"""What an app hears in a recording, for a page: worked out a piece at a time, by the firmware's own C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.tables.decision import Score
from codegen.common.errors import UserError
from workbench.host.features import app_score, listening_spec, open_pipeline
from workbench.host.host_library import HostPipeline, HostStep

_TOLD = 30  # seconds of sound after which the page is told


@dataclass(frozen=True)
class Heard:
    """Of one recording, in samples; what comes after `until` is not known yet."""

    gate: tuple[tuple[int, int], ...]  # stretches in which it was open
    decided: tuple[tuple[int, int, str, str], ...]  # stretches of one decision, its label, its best score
    until: int


class Listener:
    """Lets an app hear one recording after the other; the last one asked for counts."""

    def __init__(self, app: Path) -> None:
        """UserError where it is a bare model."""
        self._spec, self.settings = listening_spec(app)
        self._pipeline: HostPipeline | None = None
        self._lock = threading.Lock()  # the pipeline is one
        self._asked = 0

    def stop(self) -> None:
        """Nobody waits for what is being worked out."""
        self._asked += 1

    def hear(self, samples: NDArray[np.int16], rate: int, told: Callable[[Heard], None]) -> Heard | None:
        """Of a whole recording; None where another was asked for meanwhile. told: is given what is known so
        far, in this thread. UserError where the app cannot be built, or hears another rate."""
        self._asked += 1
        asked = self._asked
        wanted = self.settings.audio.sample_rate
        if rate != wanted:
            raise UserError(
                f"the recording has {rate} Hz, the app hears {wanted} Hz",
                remedy=f"Convert it, such as by: sox in.wav -r {wanted} out.wav",
            )
        with self._lock:
            if self._pipeline is None:
                self._pipeline = open_pipeline(self._spec)
                self._score = app_score(self._spec)
            self._pipeline.reset()
            marks = _Marks(self.settings, self._score)
            for first in range(0, len(samples), rate):
                if self._asked != asked:
                    return None
                for step in self._pipeline.steps(samples[first : first + rate]):
                    marks.take(step)
                if first % (_TOLD * rate) == 0:
                    told(marks.heard(first + rate))
            return marks.heard(len(samples))


class _Marks:
    """Stretches of an open gate, and of one decision."""

    def __init__(self, settings: Pipeline, score: Score) -> None:
        self._settings, self._score = settings, score
        self._names = ("", *settings.decision.labels)
        self._number = 0  # of the next window
        self._gate: list[tuple[int, int]] = []
        self._decided: list[tuple[int, int, int, int]] = []  # start, end, class, best score

    def take(self, step: HostStep) -> None:
        """The next window."""
        stride, size = self._settings.window.stride, self._settings.window.size
        start = self._number * stride
        self._number += 1
        if step.gate_open:
            joined = bool(self._gate) and self._gate[-1][1] == start
            first = self._gate.pop()[0] if joined else start
            self._gate.append((first, start + stride))
        if step.decided:
            end = start + size  # a decision stands at the end of the sound that it is made from
            last = self._decided[-1] if self._decided else None
            if last is not None and last[1] == end - stride and last[2] == step.class_index:
                self._decided[-1] = (last[0], end, last[2], max(last[3], step.score))
            else:
                self._decided.append((end - stride, end, step.class_index, step.score))

    def heard(self, until: int) -> Heard:
        """So far."""
        return Heard(
            tuple(self._gate),
            tuple(
                (start, end, self._names[index], self._score.text(score))
                for start, end, index, score in self._decided
            ),
            until,
        )
