# SPDX-License-Identifier: Apache-2.0
"""An image is given up by its own time: a computer that lets its emulator stand still ends no session."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count, repeat
from xmlrpc.server import SimpleXMLRPCServer

import numpy as np
import pytest

from codegen.common.errors import UserError
from tests.support.scripted_image import scripted
from workbench.protocol.lines import Status
from workbench.targets import device as device_module
from workbench.targets.device import Device
from workbench.targets.own_time import STANDSTILL, OwnTime, elapsed, robot_clock

SOUND = np.zeros(30 * 180, np.int16)
# What Renode 1.16.1 answers to `emulation GetTimeSourceInfo`.
ANSWER = "Elapsed Virtual Time: 00:01:02.345600\nElapsed Host Time: 00:03:00.100000\nCurrent load: 1.5\n"


class Held:
    """A link behind which nothing comes until its clock was looked at so many times, and then all at once."""

    def __init__(self, device: Device, times: Iterator[float], looks: int) -> None:
        self.link = device.link
        self.times = times
        self.looks = looks
        self.kept = b""

    def clock(self) -> float:
        """The image's."""
        self.looks -= 1
        return next(self.times)

    def send(self, data: bytes) -> None:
        """It reaches the image."""
        self.link.send(data)

    def receive(self, timeout: float) -> bytes:
        """What it says is held back."""
        self.kept += self.link.receive(0.0)
        kept = self.kept if self.looks <= 0 else b""
        self.kept = self.kept[len(kept) :]
        return kept

    def close(self) -> None:
        """Nothing to end."""


def held(looks: int, times: Iterator[float], monkeypatch: pytest.MonkeyPatch) -> Device:
    """A scripted image whose clock tells these times, given up after 2 ms; held back for so many looks."""
    monkeypatch.setattr(device_module, "LOOK", 0.001)
    device, _ = scripted()
    device.timeout = device.retry = 0.002
    device.link = link = Held(device, times, looks)
    device.clock = link.clock
    return device


def test_an_image_whose_time_stands_still_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(held(20, repeat(1.0), monkeypatch).command("status"), Status)


def test_an_image_that_is_silent_while_its_time_goes_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    times = chain(repeat(1.0, 20), count(1.0, 0.0005))
    device = held(10**9, times, monkeypatch)
    with pytest.raises(UserError, match=r"nothing answers .status. within 0.002 seconds"):
        device.command("status")
    assert next(times) > 1.0  # it was not given up before


def test_a_replay_goes_on_behind_a_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    device = held(0, repeat(1.0), monkeypatch)
    link = device.link
    assert isinstance(link, Held)
    send = link.send

    def then_silent(data: bytes) -> None:
        send(data)
        if b"audio 20 " in data:
            link.looks = 20
            silences.append(20)

    silences: list[int] = []
    link.send = then_silent  # type: ignore[method-assign]
    assert list(device.replay(SOUND)) == []
    assert (silences, link.looks) == ([20], 0)


def test_the_time_counts_from_the_first_look_on() -> None:
    times = iter([100.0, 105.0, 119.9, 120.0])
    own = OwnTime(20.0, lambda: next(times), now=lambda: 0.0)
    assert [own.passed() for _ in range(4)] == [False, False, False, True]


def test_an_emulator_that_never_goes_on_is_given_up_in_the_end() -> None:
    now = iter([0.0, STANDSTILL - 1, STANDSTILL])
    own = OwnTime(20.0, lambda: 7.0, now=lambda: next(now))
    assert [own.passed() for _ in range(3)] == [False, False, True]


def test_without_a_clock_this_computers_is_enough() -> None:
    assert OwnTime(20.0, None).passed()
    assert OwnTime(20.0, lambda: None).passed()  # nobody answers


def test_renodes_answer_is_read() -> None:
    assert elapsed(ANSWER) == pytest.approx(62.3456)
    assert elapsed("Elapsed Virtual Time: 1.02:03:04.5\n") == pytest.approx(((24 + 2) * 60 + 3) * 60 + 4.5)
    assert elapsed(ANSWER + ANSWER.replace("00:01:02", "00:01:03")) == pytest.approx(63.3456)
    assert elapsed("There was an error executing command") is None


def test_renode_is_asked_by_the_server_of_its_keywords() -> None:
    with keywords({"status": "PASS", "return": ANSWER}) as address:
        assert robot_clock(address)() == pytest.approx(62.3456)
    with keywords({"status": "FAIL", "error": "no such command"}) as address:
        assert robot_clock(address)() is None
    assert robot_clock(address)() is None  # it has ended


@contextmanager
def keywords(answer: dict[str, str]) -> Iterator[str]:
    """A server that answers as Renode's, where it is asked as that wants to be."""
    asked: list[object] = []

    def run_keyword(name: str, arguments: list[str]) -> dict[str, str]:
        asked.append((name, arguments))
        return answer

    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(run_keyword)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
    assert asked == [("ExecuteCommand", ["emulation GetTimeSourceInfo"])]
