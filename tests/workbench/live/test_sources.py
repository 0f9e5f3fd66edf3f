# SPDX-License-Identifier: Apache-2.0
"""Ports that vanish, sound that is played, sessions in their own time: without a port and a real clock."""

from __future__ import annotations

import base64
import itertools

import numpy as np
import pytest

from codegen.common.errors import UserError
from tests.support.scripted_image import ScriptedImage
from workbench.live.events import Back, Event, Gone, Level, Received, Sent
from workbench.live.sources import LinkSource, PlaySource, SoundSource
from workbench.targets.link import LinkClosedError


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Vanishing(ScriptedImage):
    """A link that is gone after so many bytes."""

    gone = False

    def receive(self, timeout: float) -> bytes:
        if self.gone:
            raise LinkClosedError("pulled")
        return super().receive(timeout)


def test_a_port_that_vanishes_is_opened_again_and_asked_anew() -> None:
    first_link, second_link = Vanishing(), ScriptedImage()
    time, tries = Time(), []

    def again() -> ScriptedImage:
        tries.append(time.now)
        if len(tries) < 4:
            raise UserError("no such device" if len(tries) < 3 else "busy")
        return second_link

    source = LinkSource(first_link, again, time)
    first = source.events(0.0)
    assert [event.text for event in first if isinstance(event, Sent)] == ["boot", "status"]
    first_link.gone = True
    time.now += 0.1
    (gone,) = source.events(0.0)
    assert isinstance(gone, Gone)
    assert gone.time == pytest.approx(0.1)
    assert gone.why == "pulled"
    assert source.send("status") == []
    told: list[Event] = []
    while not any(isinstance(event, Received) for event in told):
        time.now += 0.3
        told += source.events(0.0)
    assert [event.why for event in told if isinstance(event, Gone)] == ["no such device", "busy"]
    assert sum(isinstance(event, Back) for event in told) == 1
    assert second_link.received[:2] == ["boot", "status"]
    assert min(later - before for before, later in itertools.pairwise(tries)) >= 1.0


def test_a_program_that_ends_is_over() -> None:
    link = Vanishing()
    source = LinkSource(link, None, Time())
    link.gone = True
    assert any(isinstance(event, Gone) for event in source.events(0.0))
    assert source.over


def test_the_status_is_asked_for_each_second() -> None:
    time, link = Time(), ScriptedImage()
    source = LinkSource(link, None, time)
    for _ in range(50):
        source.events(0.0)
        time.now += 0.1
    assert link.received.count("status") == 5


@pytest.mark.parametrize("fast", [True, False])
def test_sound_is_played_in_order_and_in_its_time(fast: bool) -> None:
    time, image = Time(), ScriptedImage()
    sound = np.arange(1000, dtype=np.int16) - 500
    source = SoundSource(
        image, iter([sound[:333], sound[333:]]), 1000, fast=fast, clock=time, sleep=time.sleep
    )
    events: list[Event] = []
    while not source.over:
        events += source.events(0.05)
    lines = [line.split(" ") for line in image.received if line.startswith("audio ")]
    assert [int(words[1]) for words in lines] == list(range(len(lines)))
    played = b"".join(base64.b64decode(words[2]) for words in lines)
    assert np.array_equal(np.frombuffer(played, "<i2"), sound)
    assert source.now == 1.0
    assert max(event.peak for event in events if isinstance(event, Level)) == 500
    assert time.now - 100.0 == pytest.approx(0.0 if fast else 1.0)


def test_an_image_that_takes_no_sound_is_told() -> None:
    line = '{"error":"audio checksum","detail":0,"code":11}'
    image = ScriptedImage(lambda received: [line] if received.startswith("audio") else [])
    source = SoundSource(image, iter([np.zeros(10, np.int16)]), 1000, fast=True)
    with pytest.raises(UserError, match="takes no sound"):
        source.events(0.0)


def test_a_session_plays_in_its_own_time() -> None:
    time = Time()
    events: list[Event] = [Sent(0.5, "a"), Sent(2.0, "b")]
    source = PlaySource(iter(events), clock=time, sleep=time.sleep)
    told = []
    while not source.over:
        told += [(time.now - 100.0, event) for event in source.events(0.1)]
    assert [event for _, event in told] == events
    assert [at for at, _ in told] == pytest.approx([0.5, 2.0])
