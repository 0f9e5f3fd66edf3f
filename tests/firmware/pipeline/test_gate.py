# SPDX-License-Identifier: Apache-2.0
"""The energy gate against the reference system's sequences and its rule."""

from __future__ import annotations

import csv
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.stages import gate_flags
from tests.support.pipeline_c import Gate
from tests.support.shared import shared


def window(peak: int, position: int = 0, size: int = 8) -> list[int]:
    """One sample of this value among silence."""
    samples = [0] * size
    samples[position % size] = peak
    return samples


def test_sequences_of_the_reference_system() -> None:
    with shared("vectors/gate_sequences.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cases = [list(group) for _, group in groupby(rows, key=lambda row: row["case"])]
    assert len(rows) == 1200
    for case in cases:
        gate = Gate(*(int(case[0][key]) for key in ("threshold", "backoff", "delay")))
        reported = [gate.step(window(int(row["peak_sample"]), int(row["window_index"]), 400)) for row in case]
        assert reported == [row["passed"] == "1" for row in case], case[0]["case"]


@pytest.mark.parametrize(
    ("threshold", "sample", "passes"),
    [
        (600, 600, False),
        (600, 601, True),
        (600, -600, False),
        (600, -601, True),
        (600, -32768, True),
        (32767, 32767, False),
        (32767, -32767, False),
        (32767, -32768, True),
        (0, 0, False),
        (0, 1, True),
        (0, -1, True),
    ],
)
@pytest.mark.parametrize("position", [0, 3, 7])
def test_opens_above_the_threshold(threshold: int, sample: int, passes: bool, position: int) -> None:
    assert Gate(threshold, 0, 0).step(window(sample, position)) is passes


def test_delay_holds_back_and_backoff_passes() -> None:
    gate = Gate(600, 3, 2)
    flags = [gate.step(window(peak)) for peak in (601, 0, 0, 0, 0, 0, 0, 0)]
    assert flags == [False, False, True, True, True, True, False, False]
    gate = Gate(600, 1, 1)
    flags = [gate.step(window(peak)) for peak in (601, 0, 0, 0, 601, 0, 0, 0)]
    assert flags == [False, True, True, False, False, True, True, False]


def test_a_click_is_seen_in_every_position_of_a_cascade_of_15() -> None:
    gate = Gate(600, 14, 0)
    assert [gate.step(window(peak)) for peak in [900] + [0] * 20] == [True] * 15 + [False] * 6


PEAKS = st.lists(st.sampled_from([0, 599, 600, -600, 601, -601, 32767, -32768]), max_size=60)


@settings(deadline=None)
@given(PEAKS, st.integers(0, 20), st.integers(0, 5), st.sampled_from([0, 600, 32766, 32767]))
def test_any_sequence_follows_the_rule(peaks: list[int], backoff: int, delay: int, threshold: int) -> None:
    gate = Gate(threshold, backoff, delay)
    assert [gate.step(window(peak, i)) for i, peak in enumerate(peaks)] == gate_flags(
        (abs(peak) for peak in peaks), threshold, backoff, delay
    )


def test_settings_change_at_once_and_only_within_their_range() -> None:
    gate = Gate(600, 14, 0)
    for key, most in (("threshold", 32767), ("backoff", 1000), ("delay", 64)):
        assert not gate.set(key, -2 if key == "threshold" else -1)
        assert not gate.set(key, most + 1)
        assert getattr(gate.state.settings, key) == {"threshold": 600, "backoff": 14, "delay": 0}[key]
        assert gate.set(key, 0)
        assert gate.set(key, most)
        assert getattr(gate.state.settings, key) == most
    assert gate.set("threshold", 700)
    assert gate.set("backoff", 1)
    assert gate.set("delay", 0)
    assert [gate.step(window(peak)) for peak in (700, 701, 0, 0)] == [False, True, True, False]


def test_a_threshold_of_minus_one_opens_for_every_window() -> None:
    gate = Gate(-1, 0, 0)
    assert [gate.step(window(peak)) for peak in (0, 1, 32767, 0)] == [True] * 4
    gate = Gate(0, 0, 0)
    assert [gate.step(window(peak)) for peak in (0, 1, 0)] == [False, True, False]
    assert gate.set("threshold", -1)
    assert gate.step(window(0))


def test_reset_shuts_and_keeps_settings_while_restore_brings_them_back() -> None:
    gate = Gate(600, 14, 0)
    gate.set("threshold", 1000)
    assert gate.step(window(2000))
    gate.reset()
    assert not gate.step(window(1000))
    assert gate.state.settings.threshold == 1000
    assert gate.step(window(2000))
    gate.restore()
    assert gate.state.settings.threshold == 600
    assert not gate.step(window(600))
