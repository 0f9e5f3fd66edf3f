# SPDX-License-Identifier: Apache-2.0
"""Lines that are damaged, cut, too long or no words: answered with an error, and nothing more."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegen.common import protocol
from codegen.common.errors import UserError
from tests.support.doors import errors, heard, open_hashing, quiet
from tests.support.expected import expected_lines
from tests.support.images import (
    HASHING,
    PAYLOADS,
    SOUND,
    bursts,
)
from workbench.protocol.lines import Ack, Boot, Error, Setting, Status, numbered_line, parse_line
from workbench.suites.robot.bad_line import BadBytes
from workbench.targets import Device

pytestmark = pytest.mark.xdist_group("images")


def test_duplicated_reordered_and_damaged_lines_change_nothing(hashing: Device) -> None:
    zero, one, two = (numbered_line("audio", n, PAYLOADS[n]) for n in range(3))
    before = hashing.status()

    def answers(data: bytes) -> list[tuple[str, int]]:
        parsed = [parse_line(line) for line in heard(hashing, data)]
        reported = [(line.what, line.detail) for line in parsed if isinstance(line, Error)]
        return reported + [("ack", line.number) for line in parsed if isinstance(line, Ack)]

    assert answers(b"replay") == [("ack", 0)]
    assert answers(one) == [("audio order", 1), ("ack", 0)]
    assert answers(zero) == [("ack", 1)]
    assert answers(zero) == [("ack", 1)]  # a repetition is acknowledged, not an error
    assert answers(two) == [("audio order", 2), ("ack", 1)]
    assert answers(one.replace(b"A", b"B", 1)) == [("audio checksum", 1), ("ack", 1)]
    assert answers(one[:-2] + b"\n") == [("audio form", 1), ("ack", 1)]
    assert answers(numbered_line("audio", 1, b"odd")) == [("audio payload", 1), ("ack", 1)]
    assert answers(numbered_line("audio", 1, b"xx" * 181)) == [("audio payload", 1), ("ack", 1)]
    assert answers(one) == [("ack", 2)]
    assert answers(zero) == [("audio order", 0), ("ack", 2)]
    assert answers(numbered_line("audio", 2, b"")) == [("ack", 3)]
    after = hashing.status()
    assert after["errors"] - before["errors"] == 7
    assert after["windows"] - before["windows"] == 360 // 64


@pytest.mark.parametrize(("door", "rate"), [("pc", 1e-4), ("pc", 2e-3), ("qemu", 1e-3), ("uart", 3e-4)])
def test_a_bad_line_costs_time_and_no_decision(door: str, rate: float) -> None:
    sound = bursts(120, seed=3)
    with open_hashing(door) as device:
        line = device.link = BadBytes(device.link, seed=11, rate=rate)
        device.retry = 0.2
        assert list(device.replay(sound)) == expected_lines(HASHING, sound)
        assert line.damaged > 0
        assert device.status()["errors"] > 0


def test_decisions_lost_on_the_way_here_are_noticed() -> None:
    with open_hashing("pc") as device:
        link = device.link
        receive = link.receive
        swallowed = expected_lines(HASHING, SOUND)[3].encode() + b"\n"
        link.receive = lambda timeout: receive(timeout).replace(swallowed, b"")  # type: ignore[method-assign]
        with pytest.raises(UserError, match="decisions came whole"):
            list(device.replay(SOUND))


def test_garbage_is_named_cut_and_made_printable(hashing: Device) -> None:
    before = hashing.status()["errors"]
    long = b"x" * 100
    (first, second, third) = errors(heard(hashing, b'we"ird\\\x01\xff thing\n' + long + b" y\n\x00\n"))
    assert first.what == 'unknown we"ird\\??'
    assert second.what == "unknown " + "x" * 40
    assert third.what == "unknown ?"
    assert hashing.status()["errors"] == before + 3


def test_half_lines_end_with_their_newline(hashing: Device) -> None:
    (error,) = errors(heard(hashing, numbered_line("audio", 0, PAYLOADS[0])[:50].split(b" ")[2] + b"\n"))
    assert error.what.startswith("unknown ")
    assert isinstance(hashing.command("status"), Status)


@pytest.mark.parametrize("length", [511, 512, 600, 20_000])
def test_a_line_too_long_is_reported_once_and_skipped(hashing: Device, length: int) -> None:
    reported = errors(heard(hashing, b"s" * length))
    assert len(reported) == 1
    if length > 511:
        assert (reported[0].what, reported[0].detail) == ("line too long", 511)
    else:
        assert reported[0].what == "unknown " + "s" * 40


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_a_line_ends_as_any_terminal_program_ends_it(hashing: Device, end: bytes) -> None:
    """screen, picocom, minicom, PuTTY and Renode's `Write Line To Uart` send CR alone."""
    before = hashing.status()["errors"]
    first, second, third = heard(hashing, b"boot" + end + b"set gate.backoff 3" + end + end + b"boot" + end)
    assert isinstance(parse_line(first), Boot)
    assert parse_line(second) == Setting("gate.backoff", 3)
    assert third == first
    assert hashing.status()["errors"] == before
    quiet(hashing)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_the_end_of_a_line_is_acted_upon_at_once(hashing: Device, end: bytes) -> None:
    """Nothing is sent after it: a person waits for the answer."""
    hashing.send(b"boot" + end)
    line = hashing._line(time.monotonic() + 600)
    assert isinstance(parse_line(line or ""), Boot)


def test_numbered_lines_may_end_in_cr_too(hashing: Device) -> None:
    data = b"replay\r" + b"".join(
        numbered_line("audio", n, piece).replace(b"\n", b"\r") for n, piece in enumerate(PAYLOADS)
    )
    lines = [line for line in heard(hashing, data) if not isinstance(parse_line(line), Ack)]
    assert lines == expected_lines(HASHING, SOUND)


def test_empty_lines_mean_nothing(hashing: Device) -> None:
    assert heard(hashing, b"\r\n\n\r\r\n") == []


# Pieces of lines: all that the table knows, values and lengths at their limits and one beyond.
NUMBERS = {
    value + beyond
    for setting in protocol.SETTINGS
    for value, beyond in ((setting.least, 0), (setting.least, -1), (setting.most, 0), (setting.most, 1))
} | {2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32}
PIECES = (
    *(word.word.encode() for word in protocol.EVERY_WORD),
    *(word.usage.encode() for word in protocol.EVERY_WORD),
    *(f"set {setting.key}{'.knock' if setting.label else ''} ".encode() for setting in protocol.SETTINGS),
    *(f"{number}".encode() for number in sorted(NUMBERS)),
    *(b"on", b"off", b"\n", b"\n", b"\r", b"\r\n", b" ", b"=", b"-", b".", b"\x00", b"\xff"),
    *(b"x" * length for length in (40, 41, protocol.LINE_MAX, protocol.LINE_MAX + 1)),
    *(
        numbered_line(word.word, number, bytes(size))
        for word in protocol.WORDS
        if word.numbered
        for number in (0, 1, 2**32 - 1)
        for size in (0, 1, 4, protocol.PAYLOAD_MAX, protocol.PAYLOAD_MAX + 1)
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=30))
def test_no_bytes_do_more_than_be_answered(hashing: Device, pieces: list[bytes]) -> None:
    for line in heard(hashing, b"".join(pieces)):
        assert parse_line(line) is not None, line
    assert hashing.command("boot") == hashing.boot


@pytest.mark.parametrize("word", protocol.WORDS, ids=lambda word: word.word)
def test_a_word_as_long_as_a_line_may_be_and_longer(hashing: Device, word: protocol.Word) -> None:
    """The longest line is answered as this word's, one byte more is none."""
    hashing.command("replay")
    line = (word.word + " ").encode().ljust(protocol.LINE_MAX, b"x")
    kinds = [protocol.BY_CODE[error.code or 0].name for error in errors_alone(heard(hashing, line))]
    assert kinds == ["form" if word.numbered else "usage"]
    (error,) = errors(heard(hashing, line + b"x"))
    assert (error.code, error.detail) == (protocol.BY_NAME["line_too_long"].code, protocol.LINE_MAX)


def errors_alone(lines: list[str]) -> list[Error]:
    """The errors among the lines: a refused numbered line brings an ack too."""
    return [error for error in map(parse_line, lines) if isinstance(error, Error)]


def test_sound_after_all_that_garbage(hashing: Device) -> None:
    quiet(hashing)
    assert list(hashing.replay(SOUND)) == expected_lines(HASHING, SOUND)
