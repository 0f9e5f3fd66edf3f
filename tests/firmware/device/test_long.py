# SPDX-License-Identifier: Apache-2.0
"""Long runs and overload of an image by itself in QEMU, in the emulated time: nothing lost, late or adrift.

A sound of ten seconds comes from the virtual microphone again and again; idle time is skipped, so an hour
takes minutes. EARSHOT_LONG_HOURS makes the long run longer: 24, for example.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Gate
from codegen.board.description import load_board
from tests.support.debugger import Debugger
from tests.support.doors import open_image
from tests.support.expected import expected_lines
from tests.support.images import HASHING, QEMU_BOARD, bursts, hashing_image, stalling_image
from workbench.protocol.lines import Decision, parse_line
from workbench.suites.robot.bad_line import DAMAGES, BadLines
from workbench.targets import Device, Microphone, QemuOptions

pytestmark = pytest.mark.xdist_group("images")

RATE, STRIDE = HASHING.audio.sample_rate, HASHING.window.stride
LOOP = 1250  # windows of the sound: ten seconds
CLICKS = (200, 900)  # windows of it that open the gate
HOURS = float(os.environ.get("EARSHOT_LONG_HOURS", "0.05"))
WRAP = 1 << 32
RING = 2048  # samples of the microphone's ring


def quiet_sound(windows: int, clicks: Sequence[int], seed: int = 5) -> NDArray[np.int16]:
    """Noise below the gate's threshold, and one loud sample in some windows."""
    sound = np.random.default_rng(seed).integers(-500, 501, windows * STRIDE).astype(np.int16)
    for window in clicks:
        sound[window * STRIDE + 20] = 20000
    return sound


def microphone(folder: Path, sound: NDArray[np.int16], *, endless: bool) -> Microphone:
    file = folder / "sound.s16le"
    file.write_bytes(sound.astype("<i2").tobytes())
    return Microphone(file, RATE, endless=endless)


def decisions_until(device: Device, count: int) -> list[Decision]:
    """The next decisions as they come."""
    found: list[Decision] = []
    for line in device.results(60.0):
        parsed = parse_line(line)
        assert isinstance(parsed, Decision)
        found.append(parsed)
        if len(found) == count:
            return found
    raise AssertionError(f"{len(found)} of {count} decisions came")


def first_round(sound: NDArray[np.int16]) -> list[Decision]:
    """What the descriptions say of the sound played once."""
    parsed = [parse_line(line) for line in expected_lines(HASHING, sound)]
    decisions = [line for line in parsed if isinstance(line, Decision)]
    assert len(decisions) == len(parsed) == 3 * len(CLICKS)  # each click and its back-off
    return decisions


def same_but_later(decision: Decision, first: Sequence[Decision], window: int) -> None:
    """It is what the first round decided at this place. window: since the image started."""
    turn, place = divmod(window, LOOP)
    expected = next(one for one in first if one.sequence == place)
    assert (decision.class_index, decision.score) == (expected.class_index, expected.score), turn
    assert (decision.label, decision.segment_length) == (expected.label, expected.segment_length)


def test_hours_of_sound_lose_and_shift_nothing(tmp_path: Path) -> None:
    """Each round of the sound decides as the first did, in windows further on by exactly one round."""
    sound = quiet_sound(LOOP, CLICKS)
    first = first_round(sound)
    rounds = max(2, round(HOURS * 3600 * RATE / len(sound)))
    options = QemuOptions(microphone(tmp_path, sound, endless=True), icount=5)
    with open_image("qemu", hashing_image(QEMU_BOARD, incremental=True), options) as device:
        reported = decisions_until(device, rounds * len(first))
        status = device.status()
    places = [LOOP * turn + one.sequence for turn in range(rounds) for one in first]
    assert [decision.sequence for decision in reported] == places
    for decision in reported:
        same_but_later(decision, first, decision.sequence)
        assert decision.segment_start == (decision.sequence - HASHING.cascade.frames + 1) * STRIDE
    assert status["windows"] >= places[-1]
    assert [status[key] for key in ("lost", "late", "dropped", "errors")] == [0, 0, 0, 0]


def test_no_counter_minds_its_wrap(tmp_path: Path) -> None:
    """The counters of windows and frames, the position in the stream and the microphone's ring begin shortly
    before 2^32: written into the memory of the image that ships, in its sleep."""
    sound = quiet_sound(LOOP, CLICKS)
    first = first_round(sound)
    image = hashing_image(QEMU_BOARD, incremental=True)
    options = QemuOptions(microphone(tmp_path, sound, endless=True), icount=5, debugger=tmp_path / "gdb")
    with open_image("qemu", image, options) as device:
        windows, samples = bring_near_wrap(device, tmp_path / "gdb", image)
        reported: list[Decision] = []
        while len(reported) < 4 * len(first):
            reported += (one for one in decisions_until(device, 1) if reported or one.segment_start > samples)
        status = device.status()
    assert reported[0].sequence > WRAP - 3 * LOOP > 3 * LOOP > reported[-1].sequence
    assert reported[0].segment_start < WRAP < reported[-1].segment_start
    for decision in reported:
        window = (decision.sequence - windows) % WRAP
        same_but_later(decision, first, window)
        assert decision.segment_start == (window - HASHING.cascade.frames + 1) * STRIDE + samples
    assert [status[key] for key in ("lost", "late", "dropped", "errors")] == [0, 0, 0, 0]


def bring_near_wrap(device: Device, path: Path, image: Path) -> tuple[int, int]:
    """Adds to the counters of a live image while it sleeps: how many windows, and how many samples."""
    assert device.status().live
    deadline = time.monotonic() + 600
    while True:
        with Debugger(path, image) as debugger:
            if debugger.asleep():
                return _add(debugger)
        assert time.monotonic() < deadline, "it never sleeps"


def _add(debugger: Debugger) -> tuple[int, int]:
    now = debugger.word("app_state")
    windows = WRAP - 2 * LOOP - now
    debugger.set_word("app_state", now + windows)
    position = debugger.word("app_window_state", 8)
    samples = WRAP - 2 * LOOP * STRIDE - position
    debugger.set_word("app_window_state", position + samples, 8)
    frames = debugger.word("app_cascade_state")
    for state in ("app_cascade_state", "app_classifier_state"):
        debugger.set_word(state, debugger.word(state) - frames - 3000)
    places = WRAP - 8 * RING - debugger.word("microphone_ring")
    for offset in (0, 4):
        debugger.set_word(
            "microphone_ring", debugger.word("microphone_ring", offset) + places // RING * RING, offset
        )
    return windows, samples


# Overload


STALL = 500  # ticks of the microphone's timer, a thousandth of a second each, that come while the model runs
ALONE = dataclasses.replace(HASHING, gate=Gate(HASHING.gate.threshold, 0, 0))  # each click decides once


def overloaded(sound: NDArray[np.int16]) -> tuple[int, list[int], int]:
    """What is lost, the windows that decide, and all windows, counted tick by tick of the microphone's timer.

    The model runs in each loud window with a full cascade; meanwhile the ring fills, and what comes when it
    is full is lost. All else takes less than half a tick.
    """
    each = RATE // 1000
    ring: list[int] = []
    window: list[int] = []
    decided: list[int] = []
    lost = windows = stalled = 0
    for start in range(0, len(sound), each):
        coming = sound[start : start + each].tolist()
        room = RING - len(ring)
        ring += coming[:room]
        lost += len(coming[room:])
        stalled = max(0, stalled - 1)
        while ring and not stalled:
            window.append(ring.pop(0))
            if len(window) == STRIDE:
                loud = max(map(abs, window)) > ALONE.gate.threshold
                if loud and windows + 1 >= ALONE.cascade.frames:
                    decided.append(windows)
                    stalled = STALL
                window.clear()
                windows += 1
    return lost, decided, windows


def test_an_overloaded_image_reports_exactly_its_loss_and_lateness(tmp_path: Path) -> None:
    """The model takes 500.5 ms; a window has 8. What is lost while it runs is known beforehand."""
    sound = quiet_sound(2000, (100, 700, 1300))
    lost, decided, windows = overloaded(sound)
    assert lost == 3 * (STALL * RATE // 1000 - RING)
    assert windows == (len(sound) - lost) // STRIDE
    clock = load_board(QEMU_BOARD).clock_hz
    image = stalling_image(QEMU_BOARD, ALONE, STALL * clock // 1000 + clock // 2000)
    with open_image(
        "qemu", image, QemuOptions(microphone(tmp_path, sound, endless=False), icount=5)
    ) as device:
        reported = [json.loads(line)["Sequence"] for line in device.results(8.0)]
        status = device.status()
    assert reported == decided
    assert (status["lost"], status["late"], status["windows"]) == (lost, len(decided), windows)
    assert (status["dropped"], status["decisions"]) == (0, len(decided))


# Lines of a replay with troubles, on the emulated device


@pytest.mark.parametrize("damage", DAMAGES)
def test_troubled_lines_change_no_decision(damage: str) -> None:
    sound = bursts(200, seed=31)
    with open_image("qemu", hashing_image(QEMU_BOARD)) as device:
        device.retry = 0.2
        bad = device.link = BadLines(device.link, seed=3, rate=0.1, damages=(damage,))
        assert list(device.replay(sound)) == expected_lines(HASHING, sound)
        assert bad.damaged > 3
        assert device.status()["lost"] == 0


def test_a_host_that_disappears_in_the_middle_of_a_line(tmp_path: Path) -> None:
    """What it left is ended by the first newline of the next host; its sound has no part in what follows."""
    sound = bursts(60, seed=32)
    with open_image("qemu", hashing_image(QEMU_BOARD)) as device:
        device.command("replay")
        device.send(b"audio 0 " + b"QUJD" * 30)
        device.send(b"\n")
        device.status()
        assert list(device.replay(sound)) == expected_lines(HASHING, sound)
