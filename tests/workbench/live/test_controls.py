# SPDX-License-Identifier: Apache-2.0
"""Keys: what each asks for."""

from __future__ import annotations

from workbench.live.controls import Control, control
from workbench.live.events import Received
from workbench.live.monitor import Monitor

STATUS = (
    b'{"status":0,"live":true,"stages":false,"gate.threshold":%d,"gate.backoff":14,"gate.delay":0,'
    b'"decision.votes":%d,"decision.threshold.a b":%d,"decision.threshold.c":0}\n'
)


def monitor(gate: int = 600, votes: int = 1, limit: int = 77) -> Monitor:
    found = Monitor(("a b", "c"))
    found.take(Received(0.0, STATUS % (gate, votes, limit)))
    return found


def test_settings_go_to_the_device_within_their_ranges() -> None:
    asked = {
        ("G", 600): ("set gate.threshold 660",),
        ("g", 600): ("set gate.threshold 540",),
        ("g", 0): ("set gate.threshold -1",),
        ("g", -1): (),
        ("G", 32000): ("set gate.threshold 32767",),
        ("G", 32767): (),
    }
    for (key, gate), lines in asked.items():
        assert control(key, monitor(gate)).send == lines, (key, gate)
    assert control("T", monitor()).send == ("set decision.threshold.a b 81", "set decision.threshold.c 4")
    assert control("T", monitor(limit=127)).send[0] == "set decision.threshold.a b 128"
    # the error of an anomaly
    assert control("T", monitor(limit=3000)).send[0] == "set decision.threshold.a b 3300"
    assert control("t", monitor(limit=8388607)).send[0] == "set decision.threshold.a b 7549747"
    assert control("T", monitor(limit=8388607)).send == ("set decision.threshold.c 4",)
    assert control("V", monitor()).send == ("set decision.votes 2",)
    assert control("v", monitor()).send == ()
    assert control("V", monitor(votes=10)).send == ()


def test_without_settings_of_the_device_votes_are_counted_here() -> None:
    other = Monitor(votes=3)
    assert control("V", other) == Control(host_votes=4)
    assert control("g", other) == control("T", other) == Control()


def test_truth_and_the_end() -> None:
    assert control("2", monitor()) == Control(mark="c")
    assert control("3", monitor()) == Control()
    assert control("0", monitor()) == Control(take_back=True)
    assert control("l", monitor()) == Control(send=("live",))
    assert control("q", monitor()) == Control(end=True)
    assert control("x", monitor()) == control("²", monitor()) == Control()
