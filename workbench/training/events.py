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
    background: bool = False  # all of it counts, labelled or not
    known: tuple[tuple[int, int], ...] = ()  # stretches that do: first sample, the one after the last


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
    taken: tuple[tuple[int, int], ...]  # of each labelled stretch, in order: truth, and what it was taken for

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
    names: Sequence[str], played: Iterable[Played], rate: int, step: int, *, unlabelled: bool
) -> Events:
    """Events heard and missed in whole recordings.

    names: the app's labels. rate: Hz. step: samples from one decision to the next.
    unlabelled: sound without a label is background.
    """
    recordings = [Timeline(one, names, rate, step, unlabelled=unlabelled) for one in played]
    labels = tuple(
        _sum([one.label_events(label, one.starts_of(label)) for one in recordings], name)
        for label, name in enumerate(names)
        if name != UNKNOWN_CLASS
    )
    taken = tuple(pair for one in recordings for pair in one.pairs())
    table = confusion(names, taken)
    judged = sum(one.judged.length for one in recordings)
    quiet = judged - sum(one.sounding.length for one in recordings)
    return Events(labels, table, judged / rate / 3600, quiet / rate / 3600, taken)


def _sum(parts: Sequence[LabelEvents], name: str) -> LabelEvents:
    def total(field: str) -> int:
        return sum(getattr(part, field) for part in parts)

    return LabelEvents(
        name,
        total("found"),
        total("missed"),
        total("shut"),
        total("doubled"),
        total("confused"),
        total("background"),
        tuple(ms for part in parts for ms in part.latency),
    )


class Spans:
    """Stretches of samples, joined where they overlap."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        joined: list[list[int]] = []
        for start, end in sorted(stretches):
            if joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        table = np.array(joined, np.int64).reshape(-1, 2)
        self._starts, self._ends = table[:, 0], table[:, 1]

    @property
    def length(self) -> int:
        """Samples."""
        return int((self._ends - self._starts).sum())

    def touch(self, starts: Samples, length: int) -> NDArray[np.bool_]:
        """Which of the stretches of `length` samples from `starts` on share a sample with one of these."""
        after = np.searchsorted(self._ends, starts, side="right")  # the first that ends later
        known = after < len(self._starts)
        found = np.zeros(len(starts), np.bool_)
        found[known] = self._starts[after[known]] < starts[known] + length
        return found


class Timeline:
    """One recording, or several one after another: what happened, and which sound counts."""

    def __init__(
        self, played: Played, names: Sequence[str], rate: int, step: int, *, unlabelled: bool
    ) -> None:
        self._played, self._names, self._rate, self._step = played, names, rate, step
        own = [truth for truth in played.truths if names[truth.label] != UNKNOWN_CLASS]
        self.sounding = Spans((truth.start, truth.end) for truth in own)
        labelled = [(truth.start, truth.end) for truth in played.truths]
        whole = [(0, played.samples)] if unlabelled or played.background else []
        self.judged = Spans([*labelled, *whole, *played.known])

    def starts_of(self, label: int) -> Samples:
        """First samples of the decisions for a label."""
        own: Samples = self._played.starts[self._played.classes == label + 1]
        return own

    def label_events(self, label: int, own: Samples) -> LabelEvents:
        """What becomes of a label's events where `own` are the first samples of the decisions for it."""
        span = self._played.span
        truths = [truth for truth in self._played.truths if truth.label == label]
        starts = np.array([truth.start for truth in truths], np.int64)
        ends = np.array([truth.end for truth in truths], np.int64)
        first, after = self._over(own, starts, ends)
        found = after > first
        pauses = np.diff(own, prepend=own[:1]) >= span + self._step
        runs = np.cumsum(pauses, dtype=np.int64)  # the run of each decision
        doubled = found.copy()
        doubled[found] = runs[after[found] - 1] > runs[first[found]]
        made = self._played.starts
        shut = np.searchsorted(made, starts - span, side="right") == np.searchsorted(made, ends)
        shut &= ends - starts + span > self._step  # a decision had its turn there
        latency = 1000 * (own[first[found]] + span - starts[found]) / self._rate
        confused, background = self._alarms(
            own, runs, Spans(zip(starts.tolist(), ends.tolist(), strict=True))
        )
        return LabelEvents(
            self._names[label],
            int(found.sum()),
            int((~found).sum()),
            int((~found & shut).sum()),
            int(doubled.sum()),
            confused,
            background,
            tuple(latency.tolist()),
        )

    def _over(
        self, decided: Samples, starts: Samples, ends: Samples
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Of each stretch the first decision that lies over it by more than half, and the one after the
        last."""
        middles, half = (starts + ends) // 2, self._played.span // 2
        least = np.minimum(middles - self._played.span + 1, starts - half)
        most = np.maximum(middles, ends - half - 1)
        return np.searchsorted(decided, least), np.searchsorted(decided, most, side="right")

    def _alarms(self, own: Samples, runs: NDArray[np.int64], events: Spans) -> tuple[int, int]:
        """False alarms at events of other classes, and in background."""
        span = self._played.span
        outside = ~events.touch(own, span)
        begun = set(runs[~outside].tolist())  # detections that have an event
        outside &= self.judged.touch(own + span // 2, 1)
        numbers = np.flatnonzero(outside)
        alarms = [0, 0]
        for part in np.split(numbers, np.flatnonzero((np.diff(numbers) > 1) | np.diff(runs[numbers])) + 1):
            if len(part):
                first, last = own[part[0]], own[part[-1]]
                count = int(last - first + self._step) // self._rate + (int(runs[part[0]]) not in begun)
                begun.add(int(runs[part[0]]))
                alarms[0 if self.sounding.touch(own[part[:1]], span)[0] else 1] += count
        return alarms[0], alarms[1]

    def pairs(self) -> list[tuple[int, int]]:
        """Truth and what it was taken for, of every labelled stretch: an event found is right; another is
        what most decisions over it say, of those for a class where there are some."""
        truths = self._played.truths
        starts = np.array([truth.start for truth in truths], np.int64)
        ends = np.array([truth.end for truth in truths], np.int64)
        pairs = []
        for truth, first, after in zip(truths, *self._over(self._played.starts, starts, ends), strict=True):
            classes = self._played.classes[first:after]
            heard = classes[classes > 0]
            if self._names[truth.label] == UNKNOWN_CLASS and (heard != truth.label + 1).any():
                heard = heard[heard != truth.label + 1]  # what was reported of it, if only once
            if truth.label + 1 in heard:
                pairs.append((truth.label, truth.label + 1))
            elif len(heard):
                pairs.append((truth.label, int(np.bincount(heard).argmax())))
            else:
                pairs.append((truth.label, UNCERTAIN if (classes == UNCERTAIN).any() else 0))
        return pairs
