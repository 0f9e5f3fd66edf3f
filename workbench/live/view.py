# SPDX-License-Identifier: Apache-2.0
"""What a screen or a page shows of a device at one moment: plain data, without a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.live.sounds import Sound
from workbench.training.confusion import Confusion


@dataclass(frozen=True)
class Point:
    """One decision, for a curve over time. class_index: 0 Unknown, -1 uncertain, else the label's + 1."""

    time: float
    class_index: int
    score: int | None


@dataclass(frozen=True)
class News:
    """Something that is told once. kind: class, idle, device, warning, restart, error, gone, back, lost,
    late, missed, setting, mark. label and score: of kind class."""

    time: float
    kind: str
    text: str
    label: str | None = None
    score: int | None = None
    model: str = ""  # of an image with several: whose it is

    def object(self) -> dict[str, Any]:
        """For --json."""
        values = {"time": round(self.time, 3), "kind": self.kind, "text": self.text}
        if self.kind == "class":
            values |= {"label": self.label, "score": self.score}
        return values | ({"model": self.model} if self.model else {})


@dataclass(frozen=True)
class ModelNow:
    """One of an image's several models: its name, its class now as in View, its decisions by label."""

    name: str
    label: str
    class_index: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class View:
    """The state at `time` (seconds since the session began).

    label: the class now: a label, "Unknown" (below its threshold), "uncertain" (no majority), "idle" (no
    decision for a while), or "" where nothing came yet. score: int8, of the newest decision; mean: of the
    last `votes` ones; None while it is idle. agreeing: how many of these have the label.
    """

    time: float
    device: str  # who it is, in words; empty: it has not said it
    labels: tuple[str, ...]
    away: str | None  # why the port is gone; None: it is open
    warning: str | None  # what is wrong with all of it: another contract, no text on the line
    label: str
    class_index: int
    score: int | None
    mean: float | None
    votes: int
    agreeing: int
    level: int | None  # loudest |sample| lately, 0..32768; None: the image does not tell it
    open: bool  # decisions come: sound passes the gate
    rate: float  # decisions a second, of the last two seconds
    decisions: int  # in this session
    counts: Mapping[str, int]  # decisions by label, "Unknown" and "uncertain" too
    settings: Mapping[str, int]  # gate. and decision., by their keys
    changed: Mapping[str, tuple[int, int]]  # of these the ones that are others than at first: before, now
    late: int  # counters of the device, since it started
    lost: int
    dropped: int
    missed: int  # decision lines that did not come whole, in this session
    restarts: int  # of the device, in this session
    live: bool | None  # it listens to its microphone
    error: str | None  # the last error line, in words
    sounds: tuple[Sound, ...]  # the newest last
    points: tuple[Point, ...]  # the last decisions, the newest last
    confusion: Confusion | None  # of the sounds that a person marked
    model: str = ""  # of an image with several: the one whose classes, scores and sounds these are
    models: tuple[ModelNow, ...] = ()  # all of them, in the image's order; empty: it has one

    def object(self) -> dict[str, Any]:
        """For --json: what a session came to."""
        return {
            "seconds": round(self.time, 3),
            "device": self.device,
            "labels": list(self.labels),
            "decisions": self.decisions,
            "counts": dict(self.counts),
            **self._several(),
            "settings": dict(self.settings),
            "late": self.late,
            "lost": self.lost,
            "dropped": self.dropped,
            "missed": self.missed,
            "restarts": self.restarts,
            "confusion": self.confusion.object() if self.confusion is not None else None,
        }

    def _several(self) -> dict[str, Any]:
        """Of several models: whose labels, decisions, counts, settings and confusion these are, and the
        counts of all."""
        if not self.models:
            return {}
        return {"model": self.model, "models": {one.name: dict(one.counts) for one in self.models}}
