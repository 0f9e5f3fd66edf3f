# SPDX-License-Identifier: Apache-2.0
"""Samples out of an image that was built to send them, beside its decisions."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.board.description import load_board
from codegen.common import protocol
from tests.firmware.device.test_damaged_lines import PIECES
from tests.firmware.device.test_live import microphone
from tests.support.doors import heard, open_hashing
from tests.support.expected import expected_lines
from tests.support.images import HASHING, QEMU_BOARD, bursts, capturing_image
from tests.support.sensiml import packet
from tests.support.tools import need_tool
from workbench.live.capture import Capture
from workbench.protocol.lines import Error, Samples, Status, parse_line
from workbench.targets import Device, QemuOptions, open_target
from workbench.targets.qemu import qemu_link

pytestmark = pytest.mark.xdist_group("images")


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with open_target("pc", capturing_image("pc"), timeout=300) as opened:
        yield opened


def captured(device: Device, sound: NDArray[np.int16], bits: int) -> tuple[list[str], list[Samples]]:
    """Decision lines of a replay, and the lines of samples that came between them."""
    device.command("replay")
    device._played, device._capacity = 0, 2000
    device.command(f"capture {bits}")
    lines = list(device._transfer("audio", sound.astype("<i2").tobytes(), 2000))
    samples = [parsed for _, parsed in lines if isinstance(parsed, Samples)]
    return [line for line, parsed in lines if not isinstance(parsed, Samples)], samples


def test_every_sample_comes_out_as_it_went_in_and_decisions_stay(device: Device) -> None:
    sound = bursts(30)
    decisions, lines = captured(device, sound, 16)
    assert decisions == expected_lines(HASHING, sound)
    assert [line.first for line in lines] == [protocol.CAPTURE_MAX * n for n in range(len(lines))]
    played = b"".join(line.data for line in lines)
    assert played == sound.astype("<i2").tobytes()[: len(played)]
    assert len(sound) - len(played) // 2 < protocol.CAPTURE_MAX


def test_eight_bits_are_mu_law(device: Device) -> None:
    """Of every int16, as libsndfile has it."""
    sound = np.arange(-32768, 32768).astype(np.int16)
    _, lines = captured(device, sound, 8)
    expected = io.BytesIO()
    soundfile.write(expected, sound, 8000, format="RAW", subtype="ULAW")
    played = b"".join(line.data for line in lines)
    assert len(played) > 65536 - protocol.CAPTURE_MAX
    assert played == expected.getvalue()[: len(played)]


def test_the_word_and_the_status(device: Device) -> None:
    device.command("replay")
    status = device.command("capture 8")
    assert isinstance(status, Status)
    assert (status["capture"], status["uncaptured"]) == (8, 0)
    status = device.command("capture off")
    assert isinstance(status, Status)
    assert status["capture"] == 0
    for wrong in ("capture", "capture 12", "capture 16 ", "capture 1", "capture of"):
        answer = device.command(wrong)
        assert isinstance(answer, Error), wrong
        assert answer.more["reason"] == protocol.CAPTURE.usage
    for other in ("captures 16", "captur 16", "Capture 16", " capture 16"):
        answer = device.command(other)
        assert isinstance(answer, Error)
        assert answer.entry == protocol.BY_NAME["unknown"], other


def test_the_level_is_the_loudest_sample_since_the_last_status(device: Device) -> None:
    for loudest, level in ((-300, 300), (300, 300), (32767, 32767), (-32768, 32768)):
        device.command("replay")
        device.status()
        device._played = 0
        list(device._transfer("audio", np.array([5, loudest, 7], "<i2").tobytes(), 2000))
        assert device.status()["level"] == level
        assert device.status()["level"] == 0


def test_an_image_that_was_not_asked_for_it_knows_no_such_word() -> None:
    with open_hashing("pc") as plain:
        answer = plain.command("capture 16")
        assert isinstance(answer, Error)
        assert answer.entry == protocol.BY_NAME["unknown"]
        assert "capture" not in plain.status().values


# SensiML's way


def test_sensimls_programs_get_their_offer_and_their_packets_byte_for_byte(tmp_path: Path) -> None:
    """Between `connect` and `disconnect` nothing else comes; a packet without room leaves its number."""
    need_tool("qemu-system-arm")
    sound = np.random.default_rng(8).integers(-32768, 32768, 60 * 8000).astype(np.int16)
    offer = '{"version":2,"sample_rate":8000,"column_location":{"Microphone":0},"samples_per_packet":112}'
    options = QemuOptions(microphone(tmp_path, sound), icount=5)
    with open_target("qemu", capturing_image(QEMU_BOARD), board=QEMU_BOARD, qemu=options) as device:
        assert isinstance(device.command("capture sensiml"), Status)
        while device._line(time.monotonic() + 60) != offer:
            pass
        device.send(b"connect\n")
        got = b""
        while b"\xff" not in got or len(got) - got.index(b"\xff") < 40 * 234:
            got += device.link.receive(60.0)
        device.send(b"status\nset gate.threshold 5\ndisconnect\nstatus\n")
        while b'{"status"' not in got:
            got += device.link.receive(60.0)
    begin = got.index(b"\xff")
    assert all(line.startswith(b"{") for line in got[:begin].splitlines())  # decided before
    at, numbers, first = begin, [], None
    while got[at] == 0xFF:
        number = int.from_bytes(got[at + 5 : at + 9], "little")
        samples = np.frombuffer(got[at + 9 : at + 233], "<i2").astype(np.int16)
        first = _found(sound, samples) if first is None else first
        start = first + 112 * (number - 1)
        assert got[at : at + 234] == packet(number, sound[start : start + 112])
        numbers.append(number)
        at += 234
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 39
    # The first line after it is the answer to the last word: the others were none while packets came.
    after = got[at:].splitlines()
    assert not any(line.startswith(b'{"set"') for line in after)
    assert sum(line.startswith(b'{"status"') for line in after) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from((*PIECES, b"capture 16\n", b"capture 8\n")) | st.binary(max_size=30), max_size=30
    )
)
def test_no_bytes_do_more_than_be_answered(device: Device, pieces: list[bytes]) -> None:
    for line in heard(device, b"".join(pieces)):
        assert parse_line(line) is not None, line
    assert device.command("boot") == device.boot


def test_the_microphone_of_an_emulated_board_is_captured_sample_for_sample(tmp_path: Path) -> None:
    """Whatever the speed of this computer: a sample that does not come is a gap, and counted by the image."""
    need_tool("qemu-system-arm")
    sound = np.random.default_rng(4).integers(-32768, 32768, 20 * 8000).astype(np.int16)
    options = QemuOptions(microphone(tmp_path, sound), icount=5)
    link = qemu_link(load_board(QEMU_BOARD), capturing_image(QEMU_BOARD), options)
    try:
        capture = Capture(link, "qemu")
        while capture.incoming.end < 8000:
            capture.pump()
        uncaptured = capture.uncaptured()
        take = capture.incoming.cut(0, capture.incoming.end)
        assert take.missing <= uncaptured
        gone = np.zeros(len(take.samples), bool)
        for gap in take.gaps:
            gone[gap.at : gap.at + gap.count] = True
        begin = _found(sound, take.samples[:180])
        assert np.array_equal(take.samples[~gone], sound[begin : begin + len(gone)][~gone])
        capture.stop()
    finally:
        link.close()


def _found(sound: NDArray[np.int16], piece: NDArray[np.int16]) -> int:
    """Where it begins; it is there once."""
    size = len(piece)
    (found,) = (
        at for at in np.flatnonzero(sound == piece[0]) if np.array_equal(sound[at : at + size], piece)
    )
    return int(found)
