# SPDX-License-Identifier: Apache-2.0
"""A microphone that fails: started again, later and later, then a reset; with a clock that the test moves."""

from __future__ import annotations

import ctypes
import itertools
from pathlib import Path

import pytest

from tests.support.compile import FIRMWARE, compile_shared, protocol_table

HZ = 73_728_000
STUCK, WELL = True, False
SUPPORT = Path(__file__).parent.parent.parent / "support"
WAITS = [1, 2, 4, 8, 16, 32]  # seconds from a fault to the next start


class Listener:
    """listen.c, live, with a microphone that the test breaks and mends."""

    _copies = itertools.count()

    def __init__(self, folder: Path, library: Path, cause: bytes = b"power") -> None:
        copy = folder / f"listen{next(self._copies)}.so"  # each with variables of its own
        copy.write_bytes(library.read_bytes())
        self.c = ctypes.CDLL(str(copy))
        self.c.listen_live.restype = self.c.listen_is_live.restype = ctypes.c_bool
        self.cause = cause
        self.stuck = WELL
        self.ticks = 0xF0000000  # the counter wraps soon
        self._set()
        assert self.c.listen_live()

    def _set(self) -> None:
        self.c.play(ctypes.c_uint32(self.ticks & 0xFFFFFFFF), self.stuck, self.cause)

    def run(self, seconds: float, stuck: bool) -> bool:
        """The main loop for so long, twice a second; False: the chip was reset in it."""
        self.stuck = stuck
        for _ in range(int(2 * seconds)):
            self.ticks += HZ // 2
            self._set()
            if self.c.poll():
                return False
        return True

    def until_start(self, stuck: bool) -> int | None:
        """Half seconds until the microphone is started again; None: the chip was reset instead."""
        starts, halves = self.c.starts(), 0
        while self.c.starts() == starts:
            if not self.run(0.5, stuck):
                return None
            halves += 1
        return halves


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listen")
    device = FIRMWARE / "device"
    sources = [
        device / "listen.c",
        device / "no_capture" / "no_capture.c",
        SUPPORT / "listen_main.c",
        protocol_table(folder),
    ]
    return compile_shared(folder, sources, includes=[folder], name="listen")


def test_it_is_started_again_later_and_later_then_the_chip_is_reset_once(
    tmp_path: Path, library: Path
) -> None:
    listener = Listener(tmp_path, library)
    assert [listener.until_start(STUCK) for _ in WAITS] == [2 * wait + 1 for wait in WAITS]
    assert (listener.c.reported(), listener.c.restarts()) == (len(WAITS), len(WAITS))
    assert listener.until_start(STUCK) is None
    after = Listener(tmp_path, library, b"fault")
    assert [after.until_start(STUCK) for _ in WAITS] == [2 * wait + 1 for wait in WAITS]
    assert [after.until_start(STUCK) for _ in range(20)] == [
        2 * WAITS[-1] + 1
    ] * 20  # for ever, without a reset


def test_one_that_works_again_begins_anew(tmp_path: Path, library: Path) -> None:
    listener = Listener(tmp_path, library, b"fault")
    for wait in WAITS[:4]:
        assert listener.until_start(STUCK) == 2 * wait + 1
    assert listener.run(25, WELL)
    assert listener.c.listen_is_live()
    assert [listener.until_start(STUCK) for _ in WAITS] == [2 * wait + 1 for wait in WAITS]
    assert listener.until_start(STUCK) is None  # it was heard, so a reset may help


def test_a_fault_that_shows_late_is_no_recovery(tmp_path: Path, library: Path) -> None:
    """After ten seconds of one value an error line says so, each time."""
    listener = Listener(tmp_path, library)
    for wait in WAITS:
        assert listener.run(10, WELL)
        assert listener.until_start(STUCK) == 2 * wait + 1
    assert listener.run(10, WELL)
    assert listener.until_start(STUCK) is None


def test_a_host_at_work_is_not_reset_away(tmp_path: Path, library: Path) -> None:
    listener = Listener(tmp_path, library)
    for wait in WAITS:
        assert listener.until_start(STUCK) == 2 * wait + 1
    for _ in range(3):
        listener.c.listen_host()
        assert listener.until_start(STUCK) == 2 * WAITS[-1] + 1
    assert listener.until_start(STUCK) is None


def test_in_a_replay_nothing_is_started(tmp_path: Path, library: Path) -> None:
    listener = Listener(tmp_path, library)
    assert listener.run(0.5, STUCK)
    assert not listener.c.listen_is_live()
    listener.c.listen_replay()
    assert listener.run(100, STUCK)
    assert (listener.c.starts(), listener.c.restarts(), listener.c.reported()) == (1, 0, 1)
    assert listener.c.listen_live()
    assert listener.run(5, WELL)
    assert listener.c.listen_is_live()
