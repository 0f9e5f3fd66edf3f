# SPDX-License-Identifier: Apache-2.0
"""Sound out of samples lines: every sample at its number, every gap told."""

from __future__ import annotations

import base64
import io
import json
import zlib

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from tests.support.sensiml import packet
from workbench.live.capture import check_baud
from workbench.live.samples import Gap, Incoming, decoded, mu_law_table, needed_baud
from workbench.protocol.lines import Samples, parse_line
from workbench.protocol.packets import Packets, packet_baud

SOUND = np.random.default_rng(3).integers(-32768, 32768, 2000).astype(np.int16)


def line(first: int, count: int) -> Samples:
    return Samples(first, 16, SOUND[first : first + count].astype("<i2").tobytes())


def test_mu_law_is_g_711s() -> None:
    """libsndfile's reading of each byte."""
    data = io.BytesIO(bytes(range(256)))
    expected, _ = soundfile.read(
        data, dtype="int16", samplerate=8000, channels=1, format="RAW", subtype="ULAW"
    )
    assert np.array_equal(mu_law_table(), expected)
    assert np.array_equal(decoded(Samples(0, 8, bytes(range(256)))), expected)


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_any_lines_may_be_lost(came: list[bool]) -> None:
    incoming = Incoming()
    for number, whole in enumerate(came):
        if whole:
            incoming.take(line(100 * number, 100))
    take = incoming.cut(0, incoming.end)
    kept = np.repeat(came, 100)[: incoming.end]
    assert np.array_equal(take.samples, np.where(kept, SOUND[: incoming.end], 0))
    missing = np.zeros(incoming.end, bool)
    for gap in take.gaps:
        assert not missing[gap.at : gap.at + gap.count].any()
        missing[gap.at : gap.at + gap.count] = True
    assert np.array_equal(missing, ~kept)


def test_a_piece_begins_and_ends_anywhere() -> None:
    incoming = Incoming()
    for first in (0, 100, 300):
        incoming.take(line(first, 100))
    take = incoming.cut(150, 350)
    assert take.gaps == (Gap(50, 100),)
    assert np.array_equal(take.samples[:50], SOUND[150:200])
    assert np.array_equal(take.samples[150:], SOUND[300:350])
    incoming.forget(200)
    assert incoming.first == 300
    assert incoming.cut(300, 400).gaps == ()


def test_a_line_that_comes_twice_changes_nothing() -> None:
    incoming = Incoming()
    for first in (0, 100, 0, 100):
        incoming.take(line(first, 100))
    assert incoming.end == 200
    assert np.array_equal(incoming.cut(0, 200).samples, SOUND[:200])


def test_peak_and_clipping() -> None:
    incoming = Incoming()
    incoming.take(Samples(0, 16, np.array([0, 32767, -32768, 32766, -32767], "<i2").tobytes()))
    take = incoming.cut(0, 5)
    assert (take.peak, take.clipped) == (32768, 3)


def text(first: object = 7, bits: object = 16, data: bytes = b"abcd", **changed: object) -> str:
    coded = base64.b64encode(data).decode()
    crc = f"{zlib.crc32(f'samples {first} {bits} {coded}'.encode()):08x}"
    return json.dumps({"samples": first, "bits": bits, "data": coded, "crc": crc} | changed)


def test_a_damaged_line_is_none() -> None:
    assert parse_line(text()) == Samples(7, 16, b"abcd")
    assert parse_line(text(bits=8)) == Samples(7, 8, b"abcd")
    for wrong in (
        text().replace(base64.b64encode(b"abcd").decode(), "é"),
        text(samples=8),
        text(bits=8, crc="00000000"),
        text(data=b"abc"),  # half a sample
        text(bits=12),
        text(first=-1),
        text(crc="x"),
        text(crc="é"),
    ):
        assert parse_line(wrong) is None, wrong


def test_what_a_line_can_carry() -> None:
    """8N1: ten bits a byte. Base64 alone takes 4/3 of 2 bytes a sample, so 427 kbaud at 16 kHz."""
    assert 16000 * 2 * 4 / 3 * 10 < needed_baud(16000, 16) < 921600
    assert 115200 < needed_baud(16000, 8) < 460800
    check_baud("p", needed_baud(16000, 16), 921600, "")
    check_baud("p", needed_baud(16000, 16), None, "")
    with pytest.raises(UserError, match="need 560000 baud, the line has 115200") as raised:
        check_baud("p", needed_baud(16000, 16), 115200, "Do this.")
    assert raised.value.remedy == "Do this."
    assert 16000 * 2 * 10 < packet_baud(16000, 112) < 460800


# SensiML's packets


@given(st.data())
def test_packets_are_found_among_anything(data: st.DataObject) -> None:
    """What is yielded is right, and a whole packet after whole bytes is never lost."""
    packets = [packet(number + 1, SOUND[8 * number : 8 * number + 8]) for number in range(20)]
    whole = data.draw(st.lists(st.booleans(), min_size=20, max_size=20))
    stream = b""
    for one, good in zip(packets, whole, strict=True):
        cut = data.draw(st.integers(0, len(one) - 1))
        stream += one if good else one[:cut]
    taken: list[Samples] = []
    reader = Packets(8)
    at = 0
    while at < len(stream):
        size = data.draw(st.integers(1, 100))
        taken += reader.take(stream[at : at + size])
        at += size
    found = [samples.first for samples in taken]
    assert sorted(set(found)) == found
    for samples in taken:
        assert np.array_equal(decoded(samples), SOUND[samples.first : samples.first + 8])
    behind_whole = [8 * number for number in range(20) if all(whole[: number + 1])]
    assert found[: len(behind_whole)] == behind_whole


@pytest.mark.parametrize("size", [1, 2, 9, 26, 1000])
@pytest.mark.parametrize("cut", [1, 3, 8, 9, 10, 25])
def test_the_packet_behind_a_cut_one_is_found(size: int, cut: int) -> None:
    """Its first byte lies where the cut one's length says that it goes on."""
    packets = [packet(number + 1, SOUND[8 * number : 8 * number + 8]) for number in range(6)]
    stream = packets[0] + packets[1][:cut] + b"".join(packets[2:])
    reader = Packets(8)
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    taken = [samples.first for part in parts for samples in reader.take(part)]
    assert taken == [0, 16, 24, 32, 40]


def test_a_changed_byte_costs_its_packet_alone() -> None:
    packets = b"".join(packet(number + 1, SOUND[8 * number : 8 * number + 8]) for number in range(3))
    for at in range(26, 52):
        changed = bytearray(packets)
        changed[at] ^= 0x10
        found = [samples.first for samples in Packets(8).take(bytes(changed))]
        # Channel and number are in the checksum as all else; the length alone makes it wait for more bytes.
        assert found in ([0, 16], [0]) if at in (27, 28) else found == [0, 16], at
