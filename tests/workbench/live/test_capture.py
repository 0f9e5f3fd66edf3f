# SPDX-License-Identifier: Apache-2.0
"""A device that still sends, because whoever asked it to was killed: the next one hears it from the start."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from codegen.common.protocol import STREAM_COUNTED, STREAM_SYNC
from tests.support.scripted_image import BOOT, STATUS
from workbench.identity.ask import Sensiml, ask
from workbench.live.capture import Capture

SIZE = 50  # samples of a line, or of a packet
SOUND = np.random.default_rng(3).integers(-20000, 20000, 10 * SIZE).astype(np.int16)
LISTENS = STATUS.replace('"live":false', '"live":true,"capture":16')
_ENDS = '"SegmentStart":0,"SegmentLength":1,"Label":"a","Score":1,"Sequence":1}'
DECIDED = f'{{"ModelNumber":0,"Classification":1,{_ENDS}'
OFFER = b'{"version":2,"sample_rate":100,"column_location":{"Microphone":0},"samples_per_packet":50}\n'


def samples(first: int, sound: bytes) -> str:
    data = base64.b64encode(sound).decode()
    crc = zlib.crc32(f"samples {first} 16 {data}".encode())
    return f'{{"samples":{first},"bits":16,"data":"{data}","crc":"{crc:08x}"}}\n'


class Sending:
    """A link to an image that sends since long ago, a block each time it is listened to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.next: int | None = 1_000_000  # number of the next sample; None: it sends none
        self._answers = ""

    def send(self, data: bytes) -> None:
        """See Link."""
        for word in filter(None, data.decode().split("\n")):
            self.said.append(word)
            if word == "boot":
                self._answers += BOOT.replace('"output":1', '"output":1,"rate":100,"labels":["a"]') + "\n"
            elif word == "capture 16":
                self._answers += f"{DECIDED}\n{self._block()}{LISTENS}\n"
                self.next = 0
            elif word == "capture off":
                self.next = None

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        self.now += 0.1
        data, self._answers = self._answers + self._block(), ""
        return data.encode()

    def close(self) -> None:
        """See Link."""

    def _block(self) -> str:
        if self.next is None:
            return ""
        first, self.next = self.next, self.next + SIZE
        return samples(first, SOUND[first % len(SOUND) :][:SIZE].astype("<i2").tobytes())


def test_samples_of_an_older_capture_are_not_taken() -> None:
    link = Sending()
    capture = Capture(link, "/dev/x", clock=lambda: link.now)
    assert not capture.heard
    while capture.incoming.end < 5 * SIZE:
        capture.pump()
    assert np.array_equal(capture.finish(0, 5 * SIZE).samples, SOUND[: 5 * SIZE])
    capture.stop()
    assert link.said == ["boot", "capture 16", "capture off"]


def test_a_capture_that_is_interrupted_as_it_begins_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Sending()
    receive = link.receive

    def pressed(timeout: float) -> bytes:
        if "capture 16" in link.said:
            raise KeyboardInterrupt
        return receive(timeout)

    monkeypatch.setattr(link, "receive", pressed)
    with pytest.raises(KeyboardInterrupt):
        Capture(link, "/dev/x", clock=lambda: link.now)
    assert (link.said[-1], link.next) == ("capture off", None)


class Connected:
    """A link to a device of SensiML that sends packets, and understands nothing but `disconnect`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.sends = True
        self._sequence = 500

    def send(self, data: bytes) -> None:
        """See Link."""
        for word in filter(None, data.decode().split("\n")):
            self.said.append(word)
            self.sends = word == "connect" or (self.sends and word != "disconnect")
            if word == "connect":
                self._sequence = 1

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        if not self.sends:
            self.now += 1.0
            return OFFER
        self.now += 0.5
        first = (self._sequence - 1) * SIZE % len(SOUND)
        body = b"\0\0" + self._sequence.to_bytes(4, "little")
        body += SOUND[first : first + SIZE].astype("<i2").tobytes()
        self._sequence += 1
        assert len(body) == STREAM_COUNTED + 2 * SIZE
        check = 0
        for byte in body:
            check ^= byte
        return bytes([STREAM_SYNC]) + len(body).to_bytes(2, "little") + body + bytes([check])

    def close(self) -> None:
        """See Link."""


def test_a_device_of_sensiml_that_sends_packets_is_known() -> None:
    link = Connected()
    assert ask(link, "/dev/x", 5.0, lambda: link.now) == Sensiml(100, SIZE)
    assert not link.sends


def test_a_device_of_sensiml_that_was_left_connected_is_captured_from_its_start() -> None:
    link = Connected()
    capture = Capture(link, "/dev/x", clock=lambda: link.now)
    while capture.incoming.end < 5 * SIZE:
        capture.pump()
    assert np.array_equal(capture.finish(0, 5 * SIZE).samples, SOUND[: 5 * SIZE])
