# SPDX-License-Identifier: Apache-2.0
"""The benchmark's interface over a bad line: each way of failing is one message, and comes to its end."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from codegen.common.errors import UserError
from workbench.mlperf.dialogue import Dialogue, Inference
from workbench.mlperf.streaming import stream
from workbench.targets.link import LinkClosedError

NAME = b"m-name-dut-[unspecified]\r\nm-ready\r\n"


class Line:
    """Answers each `%` with the next text; afterwards says `noise`, or nothing."""

    def __init__(self, *answers: bytes, noise: bytes = b"") -> None:
        self._answers, self._noise = iter((b"", *answers)), noise
        self._ready = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        """A command."""
        if self.closed:
            raise LinkClosedError("the port is gone")
        for _ in range(data.count(b"%")):
            self._ready += next(self._answers, b"")

    def receive(self, timeout: float) -> bytes:
        """What is there."""
        ready, self._ready = self._ready, b""
        return ready or self._noise

    def close(self) -> None:
        """Nothing is open."""


RESULTS = b"m-lap-us-5\r\nm-lap-us-%d\r\nm-results-[%s]\r\nm-ready\r\n"


def test_results_are_read() -> None:
    dialogue = Dialogue(Line(NAME, RESULTS % (12, b"0.125,-1.000,3")), "port")
    assert dialogue.infer() == Inference((0.125, -1.0, 3.0), 7)


@pytest.mark.parametrize("damaged", [b"0.1,0.?", b"", b"0.1,,0.2", b"nan", b"1e9", b"0.1,0x10"])
def test_damaged_numbers_are_one_message(damaged: bytes) -> None:
    dialogue = Dialogue(Line(NAME, RESULTS % (12, damaged)), "port")
    with pytest.raises(UserError, match="where a number stands") as caught:
        dialogue.infer()
    assert caught.value.file == "port"


def test_scores_beyond_16_bits_are_damaged() -> None:
    frame = b"m-features-[1,%d]\r\nm-activations-[3]\r\nm-ready\r\n"
    ready = b"m-ready\r\n"
    for value, right in ((32767, True), (-32768, True), (32768, False), (99999, False)):
        dialogue = Dialogue(Line(NAME, ready, ready, frame % value), "port")
        if right:
            assert dialogue.extract(bytes(4)) == ((1, value), (3,))
        else:
            with pytest.raises(UserError, match=f'sent "{value}" where a number of 16 bits stands'):
                dialogue.extract(bytes(4))


def test_a_lost_comma_is_one_message() -> None:
    ready = b"m-ready\r\n"
    frames = [b"m-features-[%s]\r\nm-activations-[3]\r\nm-ready\r\n" % text for text in (b"1,2", b"12")]
    dialogue = Dialogue(Line(NAME, ready, ready, frames[0], ready, ready, frames[1]), "port")
    with pytest.raises(UserError, match="frames came with more and with fewer numbers") as caught:
        stream(dialogue, np.zeros(4, np.int16), 2)
    assert caught.value.file == "port"


def test_a_line_that_goes_between_two_commands_is_one_message() -> None:
    line = Line(NAME)
    dialogue = Dialogue(line, "port")
    line.closed = True
    with pytest.raises(UserError, match="the port is gone"):
        dialogue.ask("db load 8")


def test_a_port_where_something_else_speaks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never falls silent, and nothing of it belongs to the benchmark."""

    clock = itertools.count()
    monkeypatch.setattr("workbench.mlperf.dialogue.time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(UserError, match="no answer to `name` within 60 seconds"):
        Dialogue(Line(noise=b'{"Classification":0}\r\n'), "port")
    slow = Line(NAME)
    dialogue = Dialogue(slow, "port")
    rows = iter([b"m-more\r\n"] * 200)
    monkeypatch.setattr(slow, "receive", lambda _: next(rows, b"m-ready\r\n"))
    assert len(dialogue.ask("profile")) == 200
