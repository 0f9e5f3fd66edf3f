# SPDX-License-Identifier: Apache-2.0
"""Sending again, against an image that loses lines as it likes."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from workbench.targets.window import Window


@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.lists(st.sampled_from(["good", "good", "bad", "lost"]), max_size=60),
)
def test_every_line_is_taken_once_and_in_order(count: int, ahead: int, fates: list[str]) -> None:
    """An image by the rules takes the next line, refuses others with an ack, says nothing of lost ones."""
    window = Window(count, ahead)
    wire: deque[int | str] = deque()  # numbers, and "?"
    fate = iter(fates)
    taken: list[int] = []
    on_their_way = 0
    for _ in range(10_000):
        if window.done:
            break
        due = window.due()
        wire.extend(due)
        on_their_way = max(on_their_way, len(wire))
        if not wire:  # silence
            window.ask()
            wire.append("?")
            continue
        line = wire.popleft()
        if line == "?":
            window.answer()
            continue
        luck = next(fate, "good")
        if luck == "lost":
            continue
        if luck == "good" and line == len(taken):
            taken.append(line)
        window.ack(len(taken))
    assert window.done
    assert taken == list(range(count))
    assert window.owed == 0
    assert on_their_way <= ahead  # more would not fit the image's ring


def test_without_trouble_nothing_goes_twice() -> None:
    window = Window(10, 4)
    sent: list[int] = []
    while not window.done:
        sent += window.due()
        assert len(sent) - window.taken <= 4
        assert window.ack(window.taken + 1)
    assert sent == list(range(10))


def test_the_acks_behind_a_refused_line_send_nothing_again() -> None:
    window = Window(8, 4)
    assert window.due() == range(4)
    assert not window.ack(0)  # line 0 was damaged
    sent = list(window.due())
    for _ in range(3):  # lines 1 to 3 of the first time: each makes room for one
        assert not window.ack(0)
        sent += window.due()
    assert sent == list(range(3))  # no more while over half are on their way
    assert not window.ack(0)  # line 0 was damaged again
    assert window.due() == range(2)  # lines 1 and 2 of the second time are still there


def test_a_late_answer_to_an_earlier_question_says_nothing() -> None:
    window = Window(2, 1)
    assert window.due() == range(1)
    window.ask()
    window.ask()
    window.answer()
    assert window.due() == range(1)
    window.answer()  # of the second question, sent before the line
    assert window.due() == range(0)
    assert window.ack(1)
    assert window.due() == range(1, 2)


def test_a_late_answer_to_a_question_before_a_line_says_nothing_of_the_line() -> None:
    """An emulator that stands still for seconds, twice: nothing is lost, so nothing may go again."""
    window = Window(8, 2)
    assert window.due() == range(2)
    window.ask()
    assert window.ack(1)
    assert window.due() == range(2, 3)  # after the first question
    window.ask()
    assert window.ack(2)
    window.answer()  # of the first
    assert window.due() == range(3, 4)
    assert window.ack(3)
    window.answer()
    assert window.due() == range(4, 5)


@given(st.integers(1, 40), st.integers(1, 12), st.lists(st.booleans(), max_size=200))
def test_however_slow_a_sound_line_is_nothing_goes_twice(count: int, ahead: int, silent: list[bool]) -> None:
    """Silences come at any time, the line loses nothing: each line goes once."""
    window = Window(count, ahead)
    wire: deque[int | str] = deque()
    silence = iter(silent)
    sent: list[int] = []
    taken = 0
    while not window.done:
        due = window.due()
        sent += due
        wire.extend(due)
        if next(silence, False):
            window.ask()
            wire.append("?")
            continue
        if wire.popleft() == "?":
            window.answer()
        else:
            taken += 1
            window.ack(taken)
    assert sent == list(range(count))


def test_a_line_that_comes_twice_sends_nothing_again() -> None:
    """Each ack of a double once sent lines again, which came twice then: a flood that fed itself."""
    window = Window(40, 4)
    wire: deque[int] = deque()
    sent: list[int] = []
    taken = 0
    while not window.done:
        due = window.due()
        sent += due
        wire.extend(number for line in due for number in (line, line))  # every line is doubled on its way
        number = wire.popleft()
        refused = number > taken
        taken += number == taken
        window.ack(taken, refused=refused)
    assert sent == list(range(40))
