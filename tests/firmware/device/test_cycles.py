# SPDX-License-Identifier: Apache-2.0
"""Clocks by stage: what the line says of laps whose length a test knows."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest

from codegen.common import protocol
from tests.support.compile import FIRMWARE, compile_shared, protocol_table
from tests.support.images import hashing_image
from workbench.protocol.lines import Cycles, Error, parse_line
from workbench.targets import open_target

SUPPORT = Path(__file__).parent.parent.parent / "support"
WINDOW, GATE, MFCC, SCALE, CLASSIFIER, DECISION = range(6)  # stage_t


class Counter:
    """cycles.c with a counter that wraps soon."""

    def __init__(self, library: Path) -> None:
        self.c = ctypes.CDLL(str(library))
        self.c.line.restype = ctypes.c_char_p
        self.now = 0xFFFF_FF00

    def line(self, *, there: bool = True) -> Cycles | str:
        """What `cycles` is answered; the words of an error."""
        self.c.count_to(ctypes.c_uint32(self.now), there)
        text = self.c.line().decode()
        answer = parse_line(text.rstrip("\n"))
        assert answer is None or isinstance(answer, Cycles)
        return text if answer is None else answer

    def end(self, stage: int, cycles: int) -> None:
        """A stage ends that took so many clocks."""
        self.now = (self.now + cycles) & 0xFFFF_FFFF
        self.c.count_to(ctypes.c_uint32(self.now), True)
        self.c.measured(stage)


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    sources = [FIRMWARE / "device" / name for name in ("cycles.c", "json.c", "base64.c")]
    sources += [SUPPORT / "cycles_main.c", protocol_table(tmp_path)]
    return Counter(compile_shared(tmp_path, sources, includes=[tmp_path], name="cycles"))


def test_each_stage_has_its_last_and_its_most(counter: Counter) -> None:
    assert counter.line() == Cycles(0, (0,) * 5, (0,) * 5)
    for classifier in (9000, 500, None):  # the last window passes no gate
        counter.end(WINDOW, 77777)  # asleep, or at another work
        counter.end(GATE, 10)
        counter.end(MFCC, 3000 if classifier == 500 else 2999)
        counter.end(SCALE, 40)
        if classifier is not None:
            counter.end(CLASSIFIER, classifier)
            counter.end(DECISION, 6)
    assert counter.line() == Cycles(3, (10, 2999, 40, 500, 6), (10, 3000, 40, 9000, 6))
    assert counter.line() == Cycles(0, (0,) * 5, (0,) * 5)


def test_nothing_is_counted_before_it_is_asked_for(counter: Counter) -> None:
    counter.end(GATE, 10)
    assert counter.line() == Cycles(0, (0,) * 5, (0,) * 5)


def test_an_empty_look_for_a_window_is_no_stage(counter: Counter) -> None:
    counter.line()
    counter.end(WINDOW, 5)
    counter.end(GATE, 10)
    counter.end(WINDOW, 5)
    assert counter.line() == Cycles(1, (10, 0, 0, 0, 0), (10, 0, 0, 0, 0))


def test_a_board_without_a_counter_says_so(counter: Counter) -> None:
    assert counter.line(there=False) == protocol.BY_NAME["cycles"].words
    with open_target("pc", hashing_image("pc")) as device:
        answer = device.command("cycles")
    assert isinstance(answer, Error)
    assert answer.entry == protocol.BY_NAME["cycles"]


def test_the_names_are_those_of_the_stages_in_their_order() -> None:
    header = (FIRMWARE / "pipeline" / "pipeline.h").read_text()
    stages = [name.lower() for name in re.findall(r"^    STAGE_(\w+),", header, re.MULTILINE)]
    assert tuple(stages[GATE:]) == protocol.COUNTED


@pytest.mark.parametrize("count", [4, 6])
def test_a_line_with_other_stages_is_not_taken(count: int) -> None:
    numbers = str([1] * count)
    assert parse_line(f'{{"cycles":1,"last":{numbers},"most":{numbers}}}') is None
