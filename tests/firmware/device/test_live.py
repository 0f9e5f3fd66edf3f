# SPDX-License-Identifier: Apache-2.0
"""An image by itself in QEMU: what its microphone hears, what is lost, how it sleeps and how it stops."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray

from codegen.common.errors import UserError
from tests.support.doors import board_of, open_hashing, open_image, open_scripted
from tests.support.expected import expected_lines
from tests.support.images import (
    HASHING,
    QEMU_BOARD,
    SCRIPTED_INPUTS,
    bursts,
    hashing_image,
    scripted_image,
    scripted_output,
)
from workbench.protocol.lines import Error, Status, numbered_line, parse_line
from workbench.targets import Device, Microphone, QemuOptions, open_target

pytestmark = pytest.mark.xdist_group("images")

# The virtual microphone


def microphone(folder: Path, sound: NDArray[np.int16], rate: int = 8000) -> Microphone:
    """A file of it."""
    file = folder / "sound, with a comma.s16le"
    file.write_bytes(sound.astype("<i2").tobytes())
    return Microphone(file, rate)


@pytest.mark.parametrize("door", ["qemu", "uart", "m33"])
def test_a_live_image_hears_every_sample(tmp_path: Path, door: str) -> None:
    """Two seconds and a half; the core's speed is fixed, so a slow computer proves the same."""
    sound = bursts(312, seed=7)
    options = QemuOptions(microphone(tmp_path, sound), icount=5, paced=True, memory_line=door != "uart")
    with open_image(door, hashing_image(board_of(door)), options) as device:
        expected = expected_lines(HASHING, sound)
        lines = list(device.results(3.0))
        status = device.status()
        assert status.live
        assert lines == expected
        assert status.sequence == status["windows"] == 312
        assert (status["lost"], status["dropped"], status["late"]) == (0, 0, 0)
        assert 0 < status["awake"] < 50


def test_live_starts_afresh_and_stages_come_too(tmp_path: Path) -> None:
    sound = bursts(60, seed=8)
    options = QemuOptions(microphone(tmp_path, sound), icount=5, paced=True)
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        first = list(device.results(2.0))
        assert first == expected_lines(HASHING, sound)
        device.command("stages on")
        assert isinstance(device.command("live"), Status)
        assert list(device.results(2.0)) == expected_lines(HASHING, sound, stages=True)
        assert device.status()["lost"] == 0


def test_replay_leaves_the_microphone_alone_and_live_comes_back(tmp_path: Path) -> None:
    sound, other = bursts(2000, seed=9), bursts(40, seed=10)
    options = QemuOptions(microphone(tmp_path, sound))
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        assert device.status().live
        assert list(device.replay(other)) == expected_lines(HASHING, other)
        assert not device.status().live
        answer = device.command("live")
        assert isinstance(answer, Status)
        assert answer.live
        expected = expected_lines(HASHING, sound[: 64 * 100])
        results = device.results(5.0)
        assert [next(results) for _ in range(20)] == expected[:20]


def test_lines_wait_for_room_in_replay_also_after_live(tmp_path: Path) -> None:
    """More lines out than the ring holds, and nobody reads for a while."""
    sound = bursts(180, seed=14)[: 180 * 60]
    payload = sound.astype("<i2").tobytes()
    options = QemuOptions(microphone(tmp_path, bursts(4000)))
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        device.command("stages on")
        before = device.status()
        assert before.live
        device.command("replay")
        before = device.status()  # lines of the microphone come before it
        heard = len(device._results)
        pieces = [payload[at : at + 360] for at in range(0, len(payload), 360)]
        device.send(b"".join(numbered_line("audio", n, piece) for n, piece in enumerate(pieces)))
        time.sleep(0.4)
        status = device.status()
        assert list(device._results)[heard:] == expected_lines(HASHING, sound, stages=True)
        assert status["dropped"] == before["dropped"]
        # What the microphone heard meanwhile is nobody's loss.
        assert status["lost"] == before["lost"]
        after = device.command("live")
        assert isinstance(after, Status)
        assert after["lost"] == before["lost"]


def test_a_blocked_serial_line_costs_lines_and_no_sample(tmp_path: Path) -> None:
    """Nobody reads for four seconds of sound: what does not fit the ring is dropped whole."""
    sound = bursts(500, seed=12)
    sound[::64] = 5000  # every window passes the gate
    options = QemuOptions(microphone(tmp_path, sound), icount=5, memory_line=False)
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        expected = expected_lines(HASHING, sound)
        time.sleep(3.0)  # idle time is skipped: the sound is over long before
        lines = list(device.results(1.0))
        status = device.status()
        assert (status["windows"], status["lost"]) == (500, 0)
        assert status["decisions"] == len(expected) == 497
        assert status["dropped"] == len(expected) - len(lines) > 50
        assert lines == expected[: len(lines)]


def test_a_core_too_slow_loses_samples_and_counts_them(tmp_path: Path) -> None:
    """A microsecond an instruction: a window takes longer than it lasts."""
    sound = bursts(400, seed=13)
    options = QemuOptions(microphone(tmp_path, sound), icount=10)
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        for _ in device.results(2.0):
            pass
        status = device.status()
        assert status["lost"] > 0
        assert status["late"] > 0
        assert status["windows"] == (len(sound) - status["lost"]) // 64


@pytest.mark.parametrize("rate", [8001, 16000])
def test_a_sound_of_another_rate_is_no_microphone(tmp_path: Path, rate: int) -> None:
    options = QemuOptions(microphone(tmp_path, bursts(30), rate))
    with open_image("qemu", hashing_image(QEMU_BOARD), options) as device:
        assert not device.status().live
        assert isinstance(device.command("live"), Error)


def test_a_sound_that_cannot_be_played_is_refused(tmp_path: Path) -> None:
    image = hashing_image(QEMU_BOARD)
    odd = tmp_path / "odd.s16le"
    odd.write_bytes(b"odd")
    with pytest.raises(UserError, match="even number"):
        open_target("qemu", image, qemu=QemuOptions(Microphone(odd, 8000)))
    with pytest.raises(UserError, match="cannot be read"):
        open_target("qemu", image, qemu=QemuOptions(Microphone(tmp_path / "none", 8000)))


# What should never happen


@pytest.mark.parametrize("door", ["qemu", "m33_uart"])
def test_a_fault_is_one_line_that_says_where(door: str) -> None:
    with open_scripted(door) as device, pytest.raises(UserError, match="the image stopped") as caught:
        device.tensor(b"\xe2" + bytes(SCRIPTED_INPUTS - 1))
    error = parse_line(caught.value.what.partition("stopped: ")[2])
    assert isinstance(error, Error)
    assert (error.what, error.detail) == ("fault", 6)
    assert int(str(error.more["cfsr"]), 16) == 1 << 16  # an undefined instruction
    with scripted_image(board_of(door)).open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        (run,) = (
            symbol for symbol in symbols.iter_symbols() if symbol.name == "run" and symbol["st_size"] > 20
        )
    start = run["st_value"] & ~1
    assert start <= int(str(error.more["pc"]), 16) < start + run["st_size"]


@pytest.mark.parametrize("door", ["qemu", "m33"])
def test_a_stack_too_small_is_reported(door: str) -> None:
    with open_scripted(door) as device:
        used = device.status()["stack"]
        assert 100 < used < 8192
        with pytest.raises(UserError, match='"error":"stack overflow"'):
            device.tensor(b"\xe3" + bytes(SCRIPTED_INPUTS - 1))


def answered_status(device: Device) -> Status:
    """Asks until there is an answer: a question may be among the bytes that are lost. Answers come in the
    order of the questions: behind that to the last nonsense there is none of an earlier one."""
    for number in range(100):
        device.send(f"\nnonsense{number}\n".encode())
        while (line := device._line(time.monotonic() + 0.5)) is not None:
            if f"nonsense{number}" in line and isinstance(parse_line(line), Error):
                return device.status()
    raise AssertionError("no answer")


def test_bytes_that_found_no_room_are_counted() -> None:
    """More comes than the receiver's ring holds while the model runs, and it runs until it sees that."""
    tensor = b"\xe4" + bytes(range(249)) * 4 + bytes(3)
    with open_scripted("uart") as device:
        for number in range(3):
            device.send(numbered_line("tensor", number, tensor[360 * number :][:360]))
        device.send(b"boot\n" * 1000)
        status = answered_status(device)
        assert status["serial_lost"] > 0
        device.command("reset")
        assert device.tensor(bytes(SCRIPTED_INPUTS)) == scripted_output(bytes(SCRIPTED_INPUTS), 0)


# No wake-up is lost


@pytest.mark.parametrize("door", ["uart", "m33_uart"])
def test_an_interrupt_just_before_sleep_is_not_slept_through(door: str) -> None:
    """The model writes a byte, whose interrupt comes at once, and sleeps: the answer is for how long."""
    options = QemuOptions(icount=5, memory_line=False)
    with open_image(door, scripted_image(board_of(door)), options) as device:
        slept = int.from_bytes(device.tensor(b"\xe5" + bytes(SCRIPTED_INPUTS - 1))[:4], "little")
    assert 0 < slept < 25_000  # a millisecond


@pytest.mark.parametrize("door", ["qemu", "m33"])
def test_ticks_never_go_back_where_their_counter_wraps(door: str) -> None:
    with open_scripted(door) as device:
        backward = device.tensor(b"\xe6" + bytes(SCRIPTED_INPUTS - 1))
    assert backward[:4] == bytes(4)
    assert backward[4:8] == bytes(4)  # with interrupts masked


@pytest.mark.parametrize("door", ["qemu", "uart"])
def test_an_idle_image_answers_at_once(door: str) -> None:
    """A lost wake-up would show as an answer at SysTick's next wrap, 0.67 s later at most: in every round,
    while a busy machine is slow in some only."""
    with open_hashing(door) as device:
        for _ in range(50):
            late = 0
            for _ in range(200):
                started = time.monotonic()
                device.status()
                late += time.monotonic() - started > 0.25
            if late < 10:
                return
    raise AssertionError(f"{late} of 200 answers came late, in every round")


def test_an_idle_image_sleeps_from_its_start_on() -> None:
    with open_hashing("qemu") as device:
        time.sleep(0.5)
        assert device.status()["awake"] <= 80


def test_an_idle_image_sleeps_across_the_wraps_of_its_counter() -> None:
    with open_image("qemu", hashing_image(QEMU_BOARD), QemuOptions(icount=5, paced=True)) as device:
        device.status()
        time.sleep(2.5)  # more than three rounds of SysTick
        assert device.status()["awake"] <= 5
