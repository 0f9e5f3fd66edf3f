# SPDX-License-Identifier: Apache-2.0
"""The state behind `monitor` and the page: what events make of it, without a port, a clock or a terminal."""

from __future__ import annotations

import json

import pytest

from tests.support.scripted_image import BOOT
from workbench.live.events import Back, Event, Gone, Level, Mark, Received, Sent
from workbench.live.hearing import NO_LINES, NO_TEXT, NOTHING
from workbench.live.monitor import Monitor
from workbench.live.sounds import RECENT

LABELS = ("typing", "knocking")


def decision(index: int, score: int = 90, sequence: int = 0) -> bytes:
    label = ("Unknown", *LABELS)[index]
    values = {
        "ModelNumber": 0,
        "Classification": index,
        "SegmentStart": 0,
        "SegmentLength": 6000,
        "Label": label,
        "Score": score,
        "Sequence": sequence,
    }
    return json.dumps(values).encode() + b"\n"


def status(**more: int) -> bytes:
    values = {"status": 0, "live": True, "stages": False, "windows": 0, "decisions": 0, "late": 0}
    settings = {"gate.threshold": 600, "decision.votes": 3, "decision.threshold.typing": 77}
    return json.dumps(values | {"dropped": 0, "lost": 0} | settings | more).encode() + b"\n"


def monitored(*events: Event, **options: int) -> Monitor:
    monitor = Monitor(LABELS, **options)  # type: ignore[arg-type]
    for event in events:
        monitor.take(event)
    return monitor


def kinds(monitor: Monitor) -> list[str]:
    return [news.kind for news in monitor.news()]


def test_a_decision_is_shown_whatever_pieces_it_comes_in() -> None:
    monitor = Monitor()
    for at, byte in enumerate(decision(2)):
        monitor.take(Received(0.1 + at / 1000, bytes([byte])))
    view = monitor.view()
    assert (view.label, view.class_index, view.score, view.decisions) == ("knocking", 2, 90, 1)
    assert view.counts == {"knocking": 1}
    assert view.open


def test_idle_comes_after_its_seconds_and_ends_with_the_next_sound() -> None:
    monitor = monitored(Received(1.0, decision(2)), idle_after=2)
    monitor.advance(2.9)
    assert (monitor.view().label, monitor.view().open) == ("knocking", False)
    monitor.advance(3.1)
    assert (monitor.view().label, monitor.view().score) == ("idle", None)
    monitor.take(Received(9.0, decision(2)))
    assert monitor.view().label == "knocking"
    assert kinds(monitor) == ["class", "idle", "class"]


def test_each_sound_is_told_once_also_of_the_same_class() -> None:
    monitor = monitored(*(Received(at, decision(2)) for at in (1.0, 1.1, 1.4, 2.0, 2.1)))
    assert [(news.time, news.label) for news in monitor.news()] == [(1.0, "knocking"), (2.0, "knocking")]
    assert [sound.decisions for sound in monitor.view().sounds] == [3, 2]


def test_below_half_of_the_votes_it_is_uncertain() -> None:
    """SensiML's gateway: the majority of the last N, below N/2 votes UNC."""
    shown = []
    monitor = monitored(votes=5)
    for number, index in enumerate((1, 1, 1, 2, 2, 0, 0, 2)):
        monitor.take(Received(1 + number / 100, decision(index)))
        shown.append(monitor.view().class_index)
    assert shown == [-1, -1, 1, 1, 1, -1, -1, 2]
    assert monitor.view().votes == 5


def test_a_score_that_every_threshold_takes_lacked_a_majority() -> None:
    monitor = monitored(Received(0.1, status()), Received(0.2, decision(0, 90)))
    assert (monitor.view().label, monitor.view().votes) == ("uncertain", 3)
    monitor.take(Received(0.3, decision(0, 76)))
    assert monitor.view().label == "Unknown"
    alone = monitored(Received(0.1, status(**{"decision.votes": 1})), Received(0.2, decision(0, 90)))
    assert alone.view().label == "Unknown"


def test_counters_of_the_device_and_what_the_line_lost() -> None:
    monitor = monitored(Received(0.1, status(decisions=10, lost=5, late=1)))
    assert kinds(monitor) == []  # before this session
    for at in (0.2, 0.3, 0.4):
        monitor.take(Received(at, decision(1)))
    monitor.take(Received(0.5, status(decisions=15, dropped=1, lost=9, late=1)))
    view = monitor.view()
    assert (view.lost, view.late, view.dropped, view.missed) == (9, 1, 1, 1)
    assert kinds(monitor) == ["class", "missed", "lost"]
    monitor.take(Received(0.6, status(decisions=15, dropped=1, lost=9, late=1)))
    assert kinds(monitor) == []


def test_a_boot_line_that_nobody_asked_for_is_a_restart() -> None:
    boot = BOOT.replace("power", "watchdog").encode() + b"\n"
    monitor = monitored(Sent(0.0, "boot"), Received(0.1, boot), Received(0.2, boot))
    assert monitor.view().restarts == 0  # opening the port may have started it
    monitor.take(Received(9.0, boot))
    assert (monitor.view().restarts, monitor.view().device) == (1, "app on b")
    assert "it has started anew (watchdog)" in [news.text for news in monitor.news()]
    monitor.take(Sent(10.0, "boot"))
    monitor.take(Received(10.1, boot))
    assert monitor.view().restarts == 1


def test_what_was_missed_stays_missed_after_a_restart() -> None:
    monitor = monitored(Received(0.1, status()), Received(3.0, status(decisions=2)))
    monitor.take(Received(4.0, BOOT.encode() + b"\n"))
    monitor.take(Received(4.1, status()))
    monitor.take(Received(5.0, status(decisions=1)))
    assert monitor.view().missed == 3


def test_a_port_that_goes_and_comes_back() -> None:
    monitor = monitored(Received(0.1, b'{"ModelNumber":0,"Class'), Gone(1.0, "pulled"))
    assert monitor.view().away == "pulled"
    monitor.take(Back(2.0))
    monitor.take(Received(2.1, decision(2)))  # the half line before is no part of it
    assert (monitor.view().away, monitor.view().label) == (None, "knocking")
    assert kinds(monitor) == ["gone", "back", "class"]


def test_what_is_wrong_with_the_line_is_said_until_it_is_right() -> None:
    monitor = monitored(Received(0.1, bytes(range(128, 256))))
    assert monitor.view().warning == NO_TEXT
    monitor.take(Received(0.2, b"\n" + decision(1)))
    assert monitor.view().warning is None
    assert monitored(Received(0.1, b"Hello\n" * 6)).view().warning == NO_LINES
    silent = Monitor()
    silent.advance(4.0)
    assert silent.view().warning is None
    silent.advance(5.1)
    silent.advance(5.2)
    assert silent.view().warning == NOTHING
    assert kinds(silent) == ["warning"]


def test_another_contract_is_warned_of() -> None:
    boot = BOOT.replace('"output":1', '"output":1,"contract":"aa"').encode() + b"\n"
    for contract, words in (("aa", None), ("bb", "its feature contract is aa, the app's bb: other features")):
        monitor = Monitor(contract=contract)
        monitor.take(Received(0.1, boot))
        assert monitor.view().warning == words


def test_settings_follow_the_device() -> None:
    monitor = monitored(Received(0.1, status()), Received(0.2, b'{"set":"gate.threshold","value":700}\n'))
    assert monitor.view().settings["gate.threshold"] == 700
    monitor.take(Received(0.3, b'{"set":"decision.threshold","value":5}\n'))
    assert monitor.view().settings["decision.threshold.typing"] == 5
    assert monitor.view().changed == {"gate.threshold": (600, 700), "decision.threshold.typing": (77, 5)}
    monitor.take(Received(0.4, b'{"set":"gate.threshold","value":600}\n'))
    assert "gate.threshold" not in monitor.view().changed


def test_errors_are_told() -> None:
    monitor = monitored(Received(0.1, b'{"error":"set gate.x","detail":7,"reason":"no such key","code":6}\n'))
    assert monitor.view().error == "set gate.x 7, no such key"


def test_the_level_is_the_loudest_of_the_last_moments() -> None:
    monitor = monitored(Level(0.1, 500), Level(0.2, 100))
    assert monitor.view().level == 500
    monitor.take(Level(0.5, 90))
    assert monitor.view().level == 90


# Truth


def table(monitor: Monitor) -> list[list[int]]:
    confusion = monitor.view().confusion
    assert confusion is not None
    return [list(row) for row in confusion.counts]


def test_a_mark_is_of_the_sound_just_heard_and_may_be_mended_or_taken_back() -> None:
    monitor = monitored(*(Received(1 + at / 10, decision(index)) for at, index in enumerate((0, 2, 2, 0))))
    assert monitor.view().confusion is None
    monitor.take(Mark(2.0, "typing"))
    assert table(monitor) == [[0, 1, 0, 0], [0, 0, 0, 0]]  # one sound, not four decisions
    monitor.take(Mark(2.5, "knocking"))
    assert table(monitor) == [[0, 0, 0, 0], [0, 1, 0, 0]]
    monitor.take(Mark(2.6, None))
    assert monitor.view().confusion is None
    monitor.take(Mark(2.7, "no such class"))
    assert monitor.view().confusion is None


def test_a_mark_before_its_sound_waits_and_one_without_is_a_miss() -> None:
    monitor = monitored(Mark(1.0, "knocking"), Received(1.5, decision(2)))
    assert table(monitor) == [[0, 0, 0, 0], [0, 1, 0, 0]]
    monitor.take(Mark(9.0, "knocking"))  # long after the sound
    monitor.advance(10.5)
    monitor.take(Received(11.0, decision(2)))  # another one, which nobody marked
    assert table(monitor) == [[0, 0, 0, 0], [0, 1, 1, 0]]
    assert [sound.decisions for sound in monitor.view().sounds] == [1, 0, 1]


def test_marks_of_a_long_session_are_all_counted_in_memory_that_does_not_grow() -> None:
    monitor = Monitor(LABELS)
    for number in range(3 * RECENT):
        monitor.take(Received(2.0 * number + 1, decision(1 + number % 2)))
        monitor.take(Mark(2.0 * number + 1.1, "typing"))
    assert table(monitor) == [[75, 75, 0, 0], [0, 0, 0, 0]]
    assert len(monitor.view().sounds) == RECENT


# SensiML's devices


@pytest.mark.parametrize("before", ["", "result: "])
def test_lines_of_sensiml_are_decisions(before: str) -> None:
    line = f'{before}{{"ModelNumber":0,"Classification":2,"SegmentStart":0,"SegmentLength":6000'
    scores = ',"FeatureVectorLength":1,"FeatureVector":[7],"OutputSize":2,"OutputTensor":[-128,91]}'
    monitor = Monitor(classes={0: {0: "Unknown", 1: "key_io", 2: "knocking"}})
    monitor.take(Received(1.0, f"{line}{scores}\r\n".encode()))
    assert (monitor.view().label, monitor.view().score, monitor.labels) == (
        "knocking",
        91,
        ("key_io", "knocking"),
    )
    monitor.take(Received(1.1, f"{line}}}\n".encode()))
    assert (monitor.view().label, monitor.view().score, monitor.view().decisions) == ("knocking", None, 2)
    monitor.take(Received(1.2, b'{"ModelNumber":0,"Classification":true}\n{"ModelNumber":[],"Cl\n'))
    assert monitor.view().decisions == 2


def test_a_class_without_a_name_has_its_number() -> None:
    monitor = Monitor()
    for index, label in ((0, "Unknown"), (7, "class 7")):
        line = f'{{"ModelNumber":0,"Classification":{index},"SegmentStart":0,"SegmentLength":6000}}\n'
        monitor.take(Received(1.0, line.encode()))
        assert monitor.view().label == label
