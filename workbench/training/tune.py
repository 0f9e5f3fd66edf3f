# SPDX-License-Identifier: Apache-2.0
"""Which settings miss least at a stated rate of false alarms: gate, votes, a threshold for each label.

Scores are the firmware's own, of every window; of an anomaly its errors are. What the gate, thresholds and
votes make of them is computed here as gate.c and decision.c do, for thousands of settings. The settings that
are chosen are tried in the C itself, and the two must agree (`settled`). [decision] mean and suppress are not
taken into account.

With votes, too, a label's decisions depend on its own threshold alone: a class has a majority by those of the
last decisions that were for it. So each label has a curve of its own, and the false alarms that are allowed
are dealt out among the labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.tables.decision import NEVER, never_of
from workbench.host.host_library import HostPipeline
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.events import Events, LabelEvents, Played, Timeline, Truth, count_events
from workbench.training.pieces import Recording, shortest
from workbench.workers import Opened

CONFIDENCE = 0.95  # with which the true rate lies below the stated one
THRESHOLDS = (50, 100, 200, 300, 400, 600, 800, 1200, 1600, 2400)  # of the gate
VOTES = (1, 2, 3, 5, 7, 10)
LIMITS = 40  # of each label at most
_APART = 10  # decisions between two recordings: more than vote together

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """What is chosen. limits: the score from which each label is accepted, -128..128; of an anomaly its
    error"""

    gate_threshold: int
    gate_backoff: int
    votes: int
    limits: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording as the stages before the decision have it."""

    samples: int
    truths: tuple[Truth, ...]
    background: bool
    peaks: Integers  # [n] largest |sample| of each window
    features: NDArray[np.uint8]  # [n, size]


@dataclass(frozen=True)
class Point:
    """A label's threshold, and what becomes of its events."""

    limit: int
    events: LabelEvents

    @property
    def alarms(self) -> int:
        """In background."""
        return self.events.background

    @property
    def cost(self) -> float:
        """Share of the events that are missed, heard twice, or other events taken for one; of a label without
        events, whose threshold there is nothing to choose by, 0."""
        if not self.events.events:
            return 0.0
        wrong = self.events.missed + self.events.doubled + self.events.confused
        return wrong / self.events.events


@dataclass(frozen=True)
class Tuned:
    """The choice. curves: of each label that has events, by rising threshold, with its gate and votes."""

    settings: Settings
    allowed: int  # false alarms in all of the background
    hours: float  # of background
    before: Events  # with the app's own settings
    after: Events
    curves: dict[str, tuple[Point, ...]]


def hours_needed(rate: float) -> float:
    """Hours without a false alarm after which fewer than `rate` an hour can be stated."""
    return -math.log(1 - CONFIDENCE) / rate


def allowed_alarms(rate: float, hours: float) -> int | None:
    """The most false alarms in so many hours with which the rate is below `rate` an hour, with CONFIDENCE;
    None where even none is too little to say it."""
    mean = rate * hours
    term = total = math.exp(-mean) if mean < 700 else 0.0
    if mean >= 700:  # of a Poisson distribution as wide as that the normal one is near enough
        return int(mean - 1.645 * math.sqrt(mean)) - 1
    if total > 1 - CONFIDENCE:
        return None
    count = 0
    while True:  # the chance of at most `count` alarms is `total`
        term *= mean / (count + 1)
        if total + term > 1 - CONFIDENCE:
            return count
        total += term
        count += 1


def hear(app: Opened, recording: Recording) -> Heard:
    """The features of a recording and its windows' peaks."""
    pipeline = app.pipeline
    _, _, features = pipeline.features(recording.samples)
    peaks = pipeline.peaks(recording.samples)
    truths = tuple(Truth(piece.start, piece.end, piece.label) for piece in recording.pieces)
    return Heard(len(recording.samples), truths, not truths, peaks, features)


def gate(peaks: Integers, threshold: int, backoff: int, delay: int) -> NDArray[np.bool_]:
    """Which windows pass, as gate.c has it."""
    passes = np.zeros(len(peaks), np.bool_)
    loud = np.flatnonzero(peaks > threshold)
    window = 0  # the next one that is looked at
    while (index := int(np.searchsorted(loud, window))) < len(loud):
        first = int(loud[index]) + delay
        passes[first : first + backoff + 1] = True
        window = first + backoff + 1
    return passes


class Tuner:
    """The sounds that are chosen on."""

    def __init__(
        self, pipeline: HostPipeline, heard: Sequence[Heard], *, unlabelled: bool, memory: bool = False
    ) -> None:
        """unlabelled: sound without a label is background. memory: the model has a state of its own, so that
        its scores depend on which windows pass the gate."""
        self._pipeline, self._spec, self._heard = pipeline, pipeline.spec, heard
        self._names, self._span = pipeline.spec.decision.labels, shortest(pipeline.spec)
        self._unlabelled = unlabelled
        gap = self._span + 2 * pipeline.sample_rate  # nothing of one recording touches the next
        ends = np.cumsum([one.samples + gap for one in heard])
        self._offsets = [int(end) - one.samples - gap for end, one in zip(ends, heard, strict=True)]
        self._scored = self._scores(None) if self._spec.cascade.slide and not memory else None

    def tuned(self, rate: float, own: Settings, *, gate_stays: bool = False) -> Tuned | None:
        """The settings with the fewest misses at fewer than `rate` false alarms an hour; None where the
        background is too short to say it. own: the app's settings, taken where no others are better.
        gate_stays: as it is, for it is not this model's alone."""
        hours = self.background_hours()
        allowed = allowed_alarms(rate, hours)
        if allowed is None:
            return None
        best: tuple[float, Settings, dict[str, tuple[Point, ...]]] | None = None
        gates = self._gates(own)
        for threshold, backoff in islice(gates, 1) if gate_stays else gates:
            decisions = self._decisions(threshold, backoff)
            for votes in sorted({own.votes, *VOTES}, key=lambda votes: (votes != own.votes, votes)):
                curves = self._curves(decisions, votes, own)
                cost, limits = _dealt(curves, allowed, own.limits, self._names)
                if best is None or cost < best[0] - 1e-9:
                    best = cost, Settings(threshold, backoff, votes, limits), curves
        assert best is not None  # the app's own gate and votes were tried
        _, settings, curves = best
        return Tuned(settings, allowed, hours, self.settled(own), self.settled(settings), curves)

    def background_hours(self) -> float:
        """Of all recordings."""
        nothing = self._joined(np.zeros(0, np.int64), np.zeros(0, np.int64))
        return (nothing.judged.length - nothing.sounding.length) / self._pipeline.sample_rate / 3600

    def settled(self, settings: Settings) -> Events:
        """What the firmware's C makes of all recordings with these settings, gate and decision; it must be
        what was computed for the choice."""
        pipeline, spec = self._pipeline, self._spec
        threshold, backoff = settings.gate_threshold, settings.gate_backoff
        computed = self._decisions(threshold, backoff)
        pipeline.configure(threshold, backoff, settings.limits, settings.votes)
        played = []
        try:
            for one in self._heard:
                passes = pipeline.passing(one.peaks)
                if not np.array_equal(passes, gate(one.peaks, threshold, backoff, spec.gate.delay)):
                    raise AssertionError(f"gate.c and tune differ: {settings}")
                made = pipeline.decide(one.features, passes)
                rows = np.array([(window, index) for window, index, _ in made], np.int64).reshape(-1, 2)
                starts = (rows[:, 0] - spec.cascade.frames + 1) * spec.window.stride
                played.append(Played(one.samples, one.truths, starts, self._span, rows[:, 1], one.background))
        finally:
            pipeline.start()
        for label in range(len(self._names)):
            ours = computed.accepted(label, settings.limits[label], settings.votes)
            theirs = np.concatenate(
                [
                    one.starts[one.classes == label + 1] + offset
                    for one, offset in zip(played, self._offsets, strict=True)
                ]
            )
            if not np.array_equal(ours, theirs):
                raise AssertionError(f"decision.c and tune differ for {self._names[label]}: {settings}")
        rate, step = pipeline.sample_rate, spec.window.stride * spec.cascade.every
        return count_events(self._names, played, rate, step, unlabelled=self._unlabelled)

    def _gates(self, own: Settings) -> Iterator[tuple[int, int]]:
        """Thresholds and back-offs of the gate, the app's own first."""
        yield own.gate_threshold, own.gate_backoff
        for backoff in sorted({own.gate_backoff, self._spec.cascade.frames - 1}):
            for threshold in sorted({own.gate_threshold, *THRESHOLDS}):
                if (threshold, backoff) != (own.gate_threshold, own.gate_backoff):
                    yield threshold, backoff

    def _scores(self, passes: Sequence[NDArray[np.bool_]] | None) -> list[Integers]:
        """[n, 3] of each recording: window, label of the largest score, and that; the gate open, or as it
        passes."""
        tables = []
        for number, one in enumerate(self._heard):
            made = self._pipeline.decide(one.features, None if passes is None else passes[number])
            rows = [(window, int(scores.argmax()), int(scores.max())) for window, _, scores in made]
            tables.append(np.array(rows, np.int64).reshape(-1, 3))
        return tables

    def _decisions(self, threshold: int, backoff: int) -> _Decisions:
        """Of all recordings with this gate."""
        delay = self._spec.gate.delay
        passes = [gate(one.peaks, threshold, backoff, delay) for one in self._heard]
        tables = self._scored
        if tables is None:
            tables = self._scores(passes)
        chosen, orders, starts, quiet = [], [], [], []
        order = 0
        for one, table, passing, offset in zip(self._heard, tables, passes, self._offsets, strict=True):
            own = table[passing[table[:, 0]]]
            chosen.append(own)
            orders.append(order + np.arange(len(own)))
            order += len(own) + _APART
            starts.append((own[:, 0] - self._spec.cascade.frames + 1) * self._spec.window.stride + offset)
            quiet.append(np.full(len(own), one.background))
        whole = np.concatenate(chosen)
        return _Decisions(
            np.concatenate(starts), np.concatenate(orders), whole[:, 1], whole[:, 2], np.concatenate(quiet)
        )

    def _curves(self, decisions: _Decisions, votes: int, own: Settings) -> dict[str, tuple[Point, ...]]:
        """Of each label that has events, or may be reported falsely."""
        line = self._joined(decisions.starts, np.zeros(len(decisions.starts), np.int64))
        curves = {}
        for label, name in enumerate(self._names):
            if name == UNKNOWN_CLASS:
                continue
            there = decisions.candidates(label)
            limits = sorted({*there.tolist(), own.limits[label], never_of(self._spec.decision.kind)})
            curves[name] = tuple(
                Point(limit, line.label_events(label, decisions.accepted(label, limit, votes)))
                for limit in limits
            )
        return curves

    def _joined(self, starts: Integers, classes: Integers) -> Timeline:
        """All recordings one after another."""
        truths = tuple(
            Truth(truth.start + offset, truth.end + offset, truth.label)
            for one, offset in zip(self._heard, self._offsets, strict=True)
            for truth in one.truths
        )
        known = tuple(
            (offset, offset + one.samples)
            for one, offset in zip(self._heard, self._offsets, strict=True)
            if one.background or self._unlabelled
        )
        played = Played(0, truths, starts, self._span, classes, known=known)
        rate, stride = self._pipeline.sample_rate, self._spec.window.stride
        return Timeline(played, self._names, rate, stride, unlabelled=False)


@dataclass(frozen=True, eq=False)
class _Decisions:
    """Of all recordings, one after another."""

    starts: Integers  # first sample of each
    order: Integers  # its number; recordings lie _APART
    best: Integers  # label of its largest score
    scores: Integers  # that score
    quiet: NDArray[np.bool_]  # nothing happens in its recording

    def candidates(self, label: int) -> Integers:
        """Scores to try as a label's threshold: of many some, and those just above the largest of background,
        where errors of an anomaly, of which there are thousands, lie far apart."""
        own = self.best == label
        there = np.unique(self.scores[own])
        if len(there) <= LIMITS:
            return np.asarray(there)
        some = there[np.linspace(0, len(there) - 1, LIMITS).round().astype(int)]
        if int(there[-1]) < NEVER:
            return np.asarray(some)
        return np.concatenate([some, np.unique(self.scores[own & self.quiet])[-LIMITS:] + 1])

    def accepted(self, label: int, limit: int, votes: int) -> Integers:
        """First samples of the decisions for a label, as decision.c has it."""
        alike = (self.best == label) & (self.scores >= limit)
        if votes == 1 or not len(alike):
            return np.asarray(self.starts[alike])
        counts = np.zeros(int(self.order[-1]) + 2, np.int64)
        counts[self.order[alike] + 1] = 1
        counts = np.cumsum(counts)
        recent = counts[self.order + 1] - counts[np.maximum(self.order + 1 - votes, 0)]
        return np.asarray(self.starts[2 * recent > votes])


def _dealt(
    curves: dict[str, tuple[Point, ...]], allowed: int, own: Sequence[int], names: Sequence[str]
) -> tuple[float, tuple[int, ...]]:
    """The lowest cost of all labels with at most `allowed` false alarms, and the limits that have it. A label
    without events keeps its own, or has the nearest one with which the false alarms are few enough."""
    least: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}  # by the false alarms dealt out so far
    for name, curve in curves.items():
        options: dict[int, list[Point]] = {}
        is_own = own[names.index(name)]
        bare = not any(point.events.events for point in curve)
        for point in sorted(curve, key=lambda point: abs(point.limit - is_own)) if bare else curve:
            there = options.get(point.alarms)
            if there is None or point.cost < there[0].cost:
                options[point.alarms] = [point]
            elif point.cost == there[0].cost:
                there.append(point)
        dealt: dict[int, tuple[float, tuple[int, ...]]] = {}
        for used, (cost, limits) in least.items():
            for alarms, points in options.items():
                middle = points[0 if bare else len(points) // 2]  # as far from one edge as from the other
                total = used + alarms, cost + middle.cost
                if total[0] <= allowed and (total[0] not in dealt or total[1] < dealt[total[0]][0]):
                    dealt[total[0]] = total[1], (*limits, middle.limit)
        least = dealt
    cost, limits = min(least.values(), key=lambda one: one[0])
    chosen = dict(zip(curves, limits, strict=True))
    return cost, tuple(chosen.get(name, own[label]) for label, name in enumerate(names))


def own_settings(spec: Pipeline, limits: Sequence[int]) -> Settings:
    """What the app has now."""
    return Settings(spec.gate.threshold, spec.gate.backoff, spec.decision.votes, tuple(limits))
