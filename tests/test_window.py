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
    assert on_their_way <= 2 * ahead  # refused lines behind a damaged one are still there when it goes again


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
    assert window.due() == range(4)
    for _ in range(3):  # lines 1 to 3 of the first time
        assert not window.ack(0)
        assert window.due() == range(0)
    assert not window.ack(0)  # line 0 was damaged again
    assert window.due() == range(4)


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
