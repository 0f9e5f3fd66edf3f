# SPDX-License-Identifier: Apache-2.0
"""Events heard and missed, against cases counted by hand: 1000 Hz, windows of 10 samples, spans of 100."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.app.spec import Cascade
from workbench.host.host_library import HostPipeline
from workbench.training.confusion import UNCERTAIN
from workbench.training.evaluation import _at_every_window
from workbench.training.events import Events, Played, Truth, count_events

NAMES = ("knock", "unknown", "click")
KNOCK, UNKNOWN, CLICK = range(3)
RATE, STRIDE, SPAN = 1000, 10, 100
Decided = tuple[int, int]  # first sample, class index


def counted(
    truths: Iterable[Truth], decided: Iterable[Decided], samples: int = 2000, *, unlabelled: bool = True
) -> Events:
    rows = np.array(sorted(decided), np.int64).reshape(-1, 2)
    played = Played(samples, tuple(truths), rows[:, 0], SPAN, rows[:, 1])
    return count_events(NAMES, [played], RATE, STRIDE, unlabelled=unlabelled)


def run_of(class_index: int, first: int, last: int) -> list[Decided]:
    """A decision at every window from one sample to another."""
    return [(start, class_index) for start in range(first, last + 1, STRIDE)]


def test_found_missed_and_late() -> None:
    events = counted(
        [Truth(500, 600, KNOCK), Truth(900, 1000, KNOCK), Truth(1300, 1400, CLICK)], run_of(1, 460, 520)
    )
    knock, click = events.labels
    assert (knock.found, knock.missed, knock.shut, knock.doubled) == (1, 1, 1, 0)
    assert (click.found, click.missed, click.shut) == (0, 1, 1)
    assert knock.latency == (60.0,)  # decided at sample 560, where the first decision ends
    assert (events.false_alarms, events.mean_found) == (0, 0.25)
    assert events.hours == pytest.approx(2 / 3600)
    assert events.background_hours == pytest.approx(1.7 / 3600)


@pytest.mark.parametrize(
    ("start", "found", "alarms"),
    [
        (400, False, 1),  # ends where the event begins: it has nothing of it
        (401, False, 0),  # touches it: neither found, nor false
        (440, False, 0),
        (450, True, 0),  # more than half of it lies over the event
        (549, True, 0),
        (551, False, 0),
        (599, False, 0),
        (600, False, 1),
    ],
)
def test_how_much_of_a_decision_has_to_lie_over_an_event(start: int, found: bool, alarms: int) -> None:
    events = counted([Truth(500, 600, KNOCK)], [(start, 1)])
    assert (events.found, events.missed) == (int(found), int(not found))
    assert events.false_alarms == alarms


def test_an_event_shorter_than_a_decision() -> None:
    short = Truth(500, 520, KNOCK)
    assert [counted([short], [(start, 1)]).found for start in (410, 411, 500, 510, 511)] == [0, 1, 1, 1, 0]


def test_twice_is_a_pause_as_long_as_a_decision() -> None:
    long = Truth(500, 900, KNOCK)
    assert counted([long], run_of(1, 500, 520) + run_of(1, 620, 640)).doubled == 0  # 90 samples of pause
    twice = counted([long], run_of(1, 500, 520) + run_of(1, 630, 650))
    assert (twice.found, twice.doubled, twice.false_alarms) == (1, 1, 0)


def test_one_detection_over_two_events_finds_both() -> None:
    events = counted([Truth(500, 600, KNOCK), Truth(620, 720, KNOCK)], run_of(1, 480, 640))
    assert (events.found, events.doubled) == (2, 0)


def test_false_alarms_at_events_of_others_and_in_background() -> None:
    events = counted([Truth(500, 600, CLICK)], run_of(1, 480, 520) + run_of(1, 1500, 1600))
    knock, click = events.labels
    assert (knock.confused, knock.background, click.missed, click.shut) == (1, 1, 1, 0)
    assert [one.false_alarms for one in events.labels] == [2, 0]
    assert events.object()["false_alarms_per_hour"] == pytest.approx(2 / (2 / 3600))
    assert events.table.counts[CLICK] == (1, 0, 0, 0, 0)  # taken for a knock


def test_one_that_never_falls_silent_is_false_each_second() -> None:
    events = counted([], run_of(1, 0, 9900), 10_000)
    assert events.background_alarms == 10
    assert counted([], run_of(1, 0, 3_599_900), 3_600_000).object()["false_alarms_per_hour"] == 3600
    # Around its own event, too: 4.5 s before it, 4.4 s after it, and each full second of these counts.
    around = counted([Truth(5000, 5100, KNOCK)], run_of(1, 400, 9500), 10_000)
    assert (around.found, around.false_alarms) == (1, 4 + 4)
    assert counted([Truth(500, 600, KNOCK)], run_of(1, 480, 1400)).false_alarms == 0  # a tail of 0.8 s


def test_sound_without_a_label() -> None:
    truths = [Truth(0, 400, UNKNOWN), Truth(1000, 1100, KNOCK)]
    decided = run_of(1, 100, 120) + run_of(1, 1500, 1520) + run_of(1, 1700, 1720)
    known = counted(truths, decided, unlabelled=False)
    assert (known.background_alarms, known.false_alarms) == (1, 1)
    assert known.hours == pytest.approx(0.5 / 3600)
    assert known.background_hours == pytest.approx(0.4 / 3600)
    assert known.table.counts[UNKNOWN] == (1, 0, 0, 0, 0)
    every = counted(truths, decided)
    assert every.background_alarms == 3
    assert every.background_hours == pytest.approx(1.9 / 3600)


def test_background_of_its_own_is_judged_whatever_is_labelled() -> None:
    starts = np.array([100, 800], np.int64)
    night = Played(2000, (), starts, SPAN, np.array([1, 3], np.int64), background=True)
    events = count_events(NAMES, [night], RATE, STRIDE, unlabelled=False)
    assert events.background_alarms == 2
    assert events.background_hours == pytest.approx(2 / 3600)


def test_a_stretch_of_background_is_right_where_nothing_is_reported() -> None:
    noise = [Truth(0, 2000, UNKNOWN)]
    assert counted(noise, []).table.counts[UNKNOWN] == (0, 0, 0, 1, 0)
    assert counted(noise, run_of(2, 0, 400)).table.counts[UNKNOWN] == (0, 1, 0, 0, 0)
    once = counted(noise, [*run_of(2, 0, 400), (500, 3)])
    assert once.table.counts[UNKNOWN] == (0, 0, 1, 0, 0)  # one click in it
    assert counted(noise, [(50, UNCERTAIN), (60, 0)]).table.counts[UNKNOWN] == (0, 0, 0, 0, 1)
    assert counted(noise, []).table.mean_sensitivity == 1


def test_nothing_at_all() -> None:
    events = counted([], [])
    assert events.mean_found is None
    assert events.object()["latency_ms"] is None
    assert count_events(NAMES, [], RATE, STRIDE, unlabelled=True).object()["false_alarms_per_hour"] is None


@given(
    st.lists(st.tuples(st.integers(0, 180), st.integers(0, 3)), max_size=40, unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 18), st.sampled_from([KNOCK, UNKNOWN, CLICK]))),
)
def test_counts_of_every_kind_agree(decided: list[Decided], stretches: list[tuple[int, int, int]]) -> None:
    """An oracle that looks at one event and one decision at a time."""
    truths, end = [], 0
    for gap, length, label in stretches:
        start = end + gap * 10
        end = start + length * 10
        truths.append(Truth(start, end, label))
    samples = max(end, 2000)
    rows = [(window * STRIDE, class_index) for window, class_index in decided]
    events = counted(truths, rows, samples)
    for label, one in ((KNOCK, events.labels[0]), (CLICK, events.labels[1])):
        own = [truth for truth in truths if truth.label == label]
        heard = [
            truth
            for truth in own
            if any(
                class_index == label + 1
                and (
                    start <= (truth.start + truth.end) // 2 < start + SPAN
                    or truth.start <= start + SPAN // 2 < truth.end
                )
                for start, class_index in rows
            )
        ]
        assert (one.found, one.missed) == (len(heard), len(own) - len(heard))
        clear = [
            start
            for start, class_index in rows
            if class_index == label + 1
            and all(start >= truth.end or start + SPAN <= truth.start for truth in own)
        ]
        assert (one.false_alarms > 0) <= bool(clear)
        assert one.false_alarms <= 2 * len(clear)
    assert events.found + events.missed == sum(truth.label != UNKNOWN for truth in truths)
    assert sum(events.table.support) == len(truths)


def test_decisions_several_windows_apart_are_one_run() -> None:
    """With `[cascade] every` the next decision is more than a window away, and still the same sound's."""
    starts = np.arange(5) * 20 * STRIDE
    event = Truth(0, 100 * STRIDE, CLICK)
    found = Played(101 * STRIDE, (event,), starts, SPAN, np.full(5, CLICK + 1))
    for step, doubled in ((STRIDE, 1), (20 * STRIDE, 0)):
        events = count_events(NAMES, [found], RATE, step, unlabelled=False)
        assert (events.found, events.doubled) == (1, doubled)


def test_vectors_are_decided_at_every_window() -> None:
    cascade = Cascade(frames=4, every=3)

    class Grid:
        """Decides at windows whose number, from 1, three divides; the scores are the newest feature."""

        spec = SimpleNamespace(cascade=cascade)

        def decide(self, features: NDArray[np.uint8], gate: NDArray[np.bool_]) -> list[object]:
            return [
                (at, 0, features[at].astype(np.int8))
                for at in range(len(features))
                if gate[at] and at >= 3 and (at + 1) % 3 == 0
            ]

    features = np.arange(11, dtype=np.uint8)[:, None]
    made = _at_every_window(cast(HostPipeline, Grid()), features)
    assert [(at, int(scores[0])) for at, _, scores in made] == [(at, at) for at in range(3, 11)]
