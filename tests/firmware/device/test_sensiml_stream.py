# SPDX-License-Identifier: Apache-2.0
"""Samples as SensiML's programs read them: what goes out over a full line and of a microphone that loses."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.compile import FIRMWARE, compile_shared, protocol_table
from tests.support.sensiml import packet

SUPPORT = Path(__file__).parent.parent.parent / "support"
SAMPLES = 112  # of a packet
PACKET = 9 + 2 * SAMPLES + 1
OFFER = b'{"version":2,"sample_rate":1000,"column_location":{"Microphone":0},"samples_per_packet":112}\n'


class Stream:
    """stream.c, its line and its microphone."""

    def __init__(self, library: Path) -> None:
        self.c = ctypes.CDLL(str(library))
        self.c.stream_take.restype = self.c.stream_obey.restype = ctypes.c_bool
        self.c.take_output.restype = ctypes.c_size_t
        self.line(10_000)

    def line(self, room: int, *, live: bool = True) -> None:
        """How many bytes it takes, and whether sound comes from the microphone."""
        self.c.set_line(ctypes.c_size_t(room), live)

    def take(self, samples: NDArray[np.int16]) -> bool:
        """Sound comes."""
        data = samples.astype("<i2").tobytes()
        return bool(self.c.stream_take(data, ctypes.c_size_t(len(samples))))

    def obey(self, word: str) -> bool:
        """A line comes."""
        return bool(self.c.stream_obey(word.encode(), ctypes.c_size_t(len(word))))

    @property
    def output(self) -> bytes:
        """What has gone out since the last look."""
        data = ctypes.create_string_buffer(4096)
        size = self.c.take_output(data)
        return data.raw[:size]


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    sources = [FIRMWARE / "device" / name for name in ("capture/stream.c", "json.c", "base64.c")]
    sources += [SUPPORT / "sensiml_main.c", protocol_table(tmp_path)]
    return Stream(compile_shared(tmp_path, sources, includes=[tmp_path], name="stream"))


def sound(count: int) -> NDArray[np.int16]:
    return np.random.default_rng(count).integers(-32768, 32768, count).astype(np.int16)


def test_it_is_offered_once_a_second_until_a_program_connects(stream: Stream) -> None:
    assert not stream.obey("connect"), "nothing is offered yet"
    assert not stream.take(sound(5000))
    stream.c.stream_offer(True)
    for seconds in range(3):
        assert not stream.take(sound(600))
        assert stream.output == b"", seconds
        assert not stream.take(sound(400))
        assert stream.output == OFFER
    assert not stream.obey("status")
    assert stream.obey("connect")
    assert stream.take(sound(1000))
    assert OFFER not in stream.output
    stream.c.stream_offer(False)
    assert not stream.take(sound(1000))
    assert stream.output == b""


def test_packets_follow_each_other_in_number_and_samples(stream: Stream) -> None:
    """However the samples come, and a second time from 1 on."""
    stream.c.stream_offer(True)
    for _ in range(2):
        assert stream.obey("connect")
        samples = sound(5 * SAMPLES)
        for part in np.split(samples, [1, 3, 200, 201, 500]):
            assert stream.take(part)
        assert stream.output == b"".join(packet(n + 1, samples[n * SAMPLES :][:SAMPLES]) for n in range(5))
        assert stream.obey("set gate.threshold 5"), "every word is for the stream"
        assert stream.take(sound(7)), "it still streams"
        before = stream.c.times_reset()
        assert stream.obey("disconnect")
        assert stream.c.times_reset() == before + 1
        assert not stream.take(sound(7))


def test_a_packet_without_room_is_left_out_whole(stream: Stream) -> None:
    stream.c.stream_offer(True)
    stream.obey("connect")
    samples = sound(3 * SAMPLES)
    for number, room in enumerate((PACKET, PACKET - 1, PACKET)):
        stream.line(room)
        stream.take(samples[number * SAMPLES :][:SAMPLES])
    assert stream.output == packet(1, samples[:SAMPLES]) + packet(3, samples[2 * SAMPLES :])
    assert stream.c.stream_lost() == SAMPLES
    stream.line(0, live=False)  # the sound of a replay waits for room
    stream.take(samples[:SAMPLES])
    assert stream.output == packet(4, samples[:SAMPLES])


def test_what_the_microphone_has_lost_is_silence(stream: Stream) -> None:
    """Its packets have no place for a gap: the samples behind it stay where they belong."""
    stream.c.set_missed(ctypes.c_uint32(50))  # before it connects
    stream.c.stream_offer(True)
    stream.obey("connect")
    samples = sound(2 * SAMPLES)
    stream.take(samples[:100])
    stream.c.set_missed(ctypes.c_uint32(50 + 30))
    stream.take(samples[100:])
    whole = np.concatenate([samples[:100], np.zeros(30, np.int16), samples[100:]])
    assert stream.output == packet(1, whole[:SAMPLES]) + packet(2, whole[SAMPLES : 2 * SAMPLES])
