# SPDX-License-Identifier: Apache-2.0
"""What a device would report of whole recordings, held against what happened in them.

An event is a labelled segment of any class but `unknown`. It is found where a decision for its class lies
over it by more than half: the middle of one is within the other. Else it is missed, also where the energy
gate never opened and nothing was decided. A detection is a run of decisions for one class, pauses shorter
than a decision's own length included; an event with two is doubled.

Decisions that touch no event of their class are false alarms, one a detection; one that goes on counts again
each second, so that a device which never falls silent is not taken for one that was wrong once. The end of a
detection that began at its event is none, unless it lasts a second.

Sound without a label is background where no segment is labelled `unknown`. Where some are, those are the
background that somebody listened to, and nobody knows what is in the rest: it is left out of count and hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.training.confusion import UNCERTAIN, UNKNOWN_CLASS, Confusion, confusion

Samples = NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """A labelled stretch, in samples from the recording's start; the end is exclusive."""

    start: int
    end: int
    label: int  # index among the app's labels


@dataclass(frozen=True, eq=False)
class Played:
    """A whole recording: what happened in it, and what was decided."""

    samples: int  # its length
    truths: tuple[Truth, ...]
    starts: Samples  # [n] first sample of each decision, ascending
    span: int  # samples that each decision spans
    classes: Samples  # [n] class index: 0 Unknown, UNCERTAIN, else the label's index + 1
    background: bool = False  # all of it is background, whatever is labelled


@dataclass(frozen=True)
class LabelEvents:
    """Of one label."""

    label: str
    found: int
    missed: int
    shut: int  # of those missed, where nothing at all was decided: the gate never opened
    doubled: int  # of those found, heard as two or more
    confused: int  # false alarms at events of other classes
    background: int  # false alarms in background
    latency: tuple[float, ...]  # ms from an event's start to its first decision, of those found

    @property
    def events(self) -> int:
        """That there were."""
        return self.found + self.missed

    @property
    def false_alarms(self) -> int:
        """All."""
        return self.confused + self.background


@dataclass(frozen=True)
class Events:
    """Of all recordings. table: events and stretches of background by what they were taken for."""

    labels: tuple[LabelEvents, ...]  # of each class but unknown
    table: Confusion
    hours: float  # of the sound that counts
    background_hours: float  # of it, outside the events

    @property
    def found(self) -> int:
        """Events of all labels."""
        return sum(one.found for one in self.labels)

    @property
    def missed(self) -> int:
        """Events of all labels."""
        return sum(one.missed for one in self.labels)

    @property
    def shut(self) -> int:
        """Events missed because the gate never opened."""
        return sum(one.shut for one in self.labels)

    @property
    def doubled(self) -> int:
        """Events of all labels."""
        return sum(one.doubled for one in self.labels)

    @property
    def false_alarms(self) -> int:
        """At events of other classes, and in background."""
        return sum(one.false_alarms for one in self.labels)

    @property
    def background_alarms(self) -> int:
        """Those in background alone."""
        return sum(one.background for one in self.labels)

    @property
    def mean_found(self) -> float | None:
        """Mean over the labels of the share of their events that was found, 0..1."""
        shares = [one.found / one.events for one in self.labels if one.events]
        return sum(shares) / len(shares) if shares else None

    @property
    def latency(self) -> NDArray[np.float64]:
        """ms, of all events found."""
        return np.array([ms for one in self.labels for ms in one.latency], np.float64)

    def object(self) -> dict[str, Any]:
        """For --json; what there is nothing to divide by, or nothing of, is null."""
        return {
            "mean_found": self.mean_found,
            "found": self.found,
            "missed": self.missed,
            "gate_shut": self.shut,
            "doubled": self.doubled,
            "false_alarms": self.false_alarms,
            "hours": self.hours,
            "false_alarms_per_hour": per_hour(self.false_alarms, self.hours),
            "background": {
                "false_alarms": self.background_alarms,
                "hours": self.background_hours,
                "false_alarms_per_hour": per_hour(self.background_alarms, self.background_hours),
            },
            "latency_ms": median(self.latency),
            "latency_95_ms": percentile(self.latency, 95),
            "labels": [
                {
                    "label": one.label,
                    "found": one.found,
                    "missed": one.missed,
                    "gate_shut": one.shut,
                    "doubled": one.doubled,
                    "false_alarms": one.false_alarms,
                    "in_background": one.background,
                    "latency_ms": median(one.latency),
                }
                for one in self.labels
            ],
            "table": self.table.object(),
        }


def per_hour(count: int, hours: float) -> float | None:
    """A rate; None where there was no time."""
    return count / hours if hours else None


def median(values: Sequence[float] | NDArray[np.float64]) -> float | None:
    """None of nothing."""
    return percentile(values, 50)


def percentile(values: Sequence[float] | NDArray[np.float64], share: float) -> float | None:
    """None of nothing."""
    return float(np.percentile(values, share)) if len(values) else None


def count_events(
    names: Sequence[str], played: Iterable[Played], rate: int, stride: int, *, unlabelled: bool
) -> Events:
    """Events heard and missed in whole recordings.

    names: the app's labels. rate: Hz. stride: samples from one window to the next.
    unlabelled: sound without a label is background.
    """
    tallies = [_Tally() for _ in names]
    pairs: list[tuple[int, int]] = []
    judged = quiet = 0
    for one in played:
        judge = _Judge(one, names, rate, stride, unlabelled)
        for label in judge.sounding:
            judge.tally(label, tallies[label])
        pairs += judge.pairs()
        judged += int(judge.judged.sum())
        quiet += int((judge.judged & ~judge.at_event).sum())
    labels = tuple(
        tally.of(name) for name, tally in zip(names, tallies, strict=True) if name != UNKNOWN_CLASS
    )
    return Events(labels, confusion(names, pairs), judged / rate / 3600, quiet / rate / 3600)


class _Tally:
    """Counts of one label, growing."""

    def __init__(self) -> None:
        self.found = self.missed = self.shut = self.doubled = 0
        self.alarms = [0, 0]  # at events of other classes, in background
        self.latency: list[float] = []

    def of(self, label: str) -> LabelEvents:
        """The counts so far."""
        confused, background = self.alarms
        latency = tuple(self.latency)
        return LabelEvents(
            label, self.found, self.missed, self.shut, self.doubled, confused, background, latency
        )


class _Judge:
    """One recording."""

    def __init__(
        self, played: Played, names: Sequence[str], rate: int, stride: int, unlabelled: bool
    ) -> None:
        self.sounding = [label for label, name in enumerate(names) if name != UNKNOWN_CLASS]
        self._played, self._rate, self._stride = played, rate, stride
        self.judged = np.full(played.samples, unlabelled or played.background)
        self.at_event = np.zeros(played.samples, np.bool_)
        for truth in played.truths:
            self.judged[truth.start : truth.end] = True
            if truth.label in self.sounding:
                self.at_event[truth.start : truth.end] = True

    def tally(self, label: int, tally: _Tally) -> None:
        """Adds what this recording says of a label."""
        own = self._played.starts[self._played.classes == label + 1]
        span = self._played.span
        runs = np.cumsum(np.diff(own, prepend=own[:1]) >= span + self._stride)  # the run of each decision
        outside = np.ones(len(own), np.bool_)
        for truth in self._played.truths:
            if truth.label != label:
                continue
            at = self._over(own, truth)
            outside &= ~self._at(own, truth)
            if not at.any():
                tally.missed += 1
                tally.shut += not self._at(self._played.starts, truth).any()
                continue
            tally.found += 1
            tally.doubled += len(np.unique(runs[at])) > 1
            tally.latency.append(1000 * float(own[at][0] + span - truth.start) / self._rate)
        begun = set(runs[~outside].tolist())  # detections that have an event
        outside &= self.judged[np.minimum(own + span // 2, self._played.samples - 1)]
        numbers = np.flatnonzero(outside)
        for part in np.split(numbers, np.flatnonzero((np.diff(numbers) > 1) | np.diff(runs[numbers])) + 1):
            if len(part):
                first, last = own[part[0]], own[part[-1]]
                alarms = int(last - first + self._stride) // self._rate + (int(runs[part[0]]) not in begun)
                begun.add(int(runs[part[0]]))
                tally.alarms[0 if self.at_event[first : first + span].any() else 1] += alarms

    def _at(self, starts: Samples, truth: Truth) -> NDArray[np.bool_]:
        """Which decisions touch it."""
        return (starts < truth.end) & (starts + self._played.span > truth.start)

    def _over(self, starts: Samples, truth: Truth) -> NDArray[np.bool_]:
        """Which decisions lie over it by more than half."""
        middles, middle = starts + self._played.span // 2, (truth.start + truth.end) // 2
        within = (starts <= middle) & (middle < starts + self._played.span)
        return within | ((truth.start <= middles) & (middles < truth.end))

    def pairs(self) -> list[tuple[int, int]]:
        """Truth and what it was taken for, of every labelled stretch: an event found is right; another is
        what most decisions over it say, of those for a class where there are some."""
        pairs = []
        for truth in self._played.truths:
            classes = self._played.classes[self._over(self._played.starts, truth)]
            heard = classes[classes > 0]
            if truth.label not in self.sounding:  # background is taken for what was reported of it, if once
                heard = heard[heard != truth.label + 1] if (heard != truth.label + 1).any() else heard
            if truth.label + 1 in heard:
                pairs.append((truth.label, truth.label + 1))
            elif len(heard):
                pairs.append((truth.label, int(np.bincount(heard).argmax())))
            else:
                pairs.append((truth.label, UNCERTAIN if (classes == UNCERTAIN).any() else 0))
        return pairs
