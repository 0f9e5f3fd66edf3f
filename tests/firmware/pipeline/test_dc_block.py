# SPDX-License-Identifier: Apache-2.0
"""A microphone's level is taken off: against a model in rationals, and what such a filter has to do."""

from __future__ import annotations

import cmath
import ctypes
import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.app.spec import Audio
from tests.reference.stages import without_level
from tests.support.doors import board_of, open_image
from tests.support.expected import expected_lines
from tests.support.images import HASHING, build_image, bursts, hashing_app
from tests.support.pipeline_c import library

SIZE = 64


class StateC(ctypes.Structure):
    """window_state_t."""

    _fields_ = (
        ("filled", ctypes.c_size_t),
        ("gap", ctypes.c_size_t),
        ("start", ctypes.c_uint64),
        ("taken", ctypes.c_bool),
        ("level", ctypes.c_int32),
    )


class WindowC(ctypes.Structure):
    """window_t."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("stride", ctypes.c_size_t),
        ("samples", ctypes.c_void_p),
        ("state", ctypes.POINTER(StateC)),
        ("skip", ctypes.c_void_p),
        ("intake", ctypes.c_void_p),
        ("dc_block", ctypes.c_uint32),
    )


def filtered(samples: NDArray[np.int16], dc_block: int, pieces: int = 1000, stride: int = SIZE) -> list[int]:
    """What the windows hold, pushed `pieces` samples at a time; of overlapping ones the new samples,
    and where they have gaps the samples of those as -1."""
    c = library()
    c.window_push.restype = ctypes.c_size_t
    c.window_next.restype = ctypes.c_void_p
    memory = (ctypes.c_int16 * SIZE)()
    intake = ctypes.cast(c.dc_block, ctypes.c_void_p) if dc_block else None
    skip = ctypes.cast(c.window_gap, ctypes.c_void_p) if stride > SIZE else None
    held = ctypes.addressof(memory)
    window = WindowC(SIZE, stride, held, ctypes.pointer(StateC()), skip, intake, dc_block)
    c.window_reset(ctypes.byref(window))
    out: list[int] = []
    start = ctypes.c_uint64()
    for at in range(0, len(samples), pieces):
        rest = np.ascontiguousarray(samples[at : at + pieces], np.int16)
        while len(rest):
            place = rest.ctypes.data_as(ctypes.c_void_p)
            taken = c.window_push(ctypes.byref(window), place, ctypes.c_size_t(len(rest)))
            rest = np.ascontiguousarray(rest[taken:])
            if c.window_next(ctypes.byref(window), ctypes.byref(start)):
                new = min(stride, SIZE)
                out += memory[:] if not out else [-1] * (stride - new) + memory[SIZE - new :]
    return out


SAMPLES = st.lists(
    st.integers(-32768, 32767) | st.sampled_from([-32768, 32767, 0]), min_size=SIZE, max_size=700
)


@settings(deadline=None)
@given(SAMPLES, st.integers(4, 12), st.integers(1, 100), st.sampled_from([1, 16, 17, 64, 65, 200]))
def test_it_is_the_model_to_the_bit(samples: list[int], dc_block: int, pieces: int, stride: int) -> None:
    out = filtered(np.array(samples, np.int16), dc_block, pieces, stride)
    assert len(out) >= SIZE
    heard = enumerate(without_level(samples, dc_block)[: len(out)])
    assert out == [value if at % stride < SIZE or stride < SIZE else -1 for at, value in heard]


@pytest.mark.parametrize("dc_block", range(4, 13))
@pytest.mark.parametrize("ends", [(32767, -32768), (-32768, 32767)])
def test_full_scale_saturates_and_never_wraps(dc_block: int, ends: tuple[int, int]) -> None:
    sound = np.repeat(np.array(ends, np.int16), 12 << dc_block)
    out = filtered(sound, dc_block)
    turn = 12 << dc_block
    assert out[turn] == max(-32768, min(32767, ends[1] - out_level(ends[0])))
    assert out == without_level(sound.tolist(), dc_block)[: len(out)]


def out_level(level: int) -> int:
    """Where the model's level ends on a constant: at it, or one step of its fraction below."""
    return level - 1 if level > 0 else level


def test_off_leaves_samples_alone() -> None:
    sound = bursts(20)
    out = filtered(sound, 0)
    assert out == sound[: len(out)].tolist()


def gain(hertz: float, dc_block: int) -> float:
    """Of the filter (1 - 1/z) / (1 - (1 - a)/z), a = 2^-dc_block, at 16 kHz."""
    z = cmath.exp(2j * math.pi * hertz / 16000)
    return abs((1 - 1 / z) / (1 - (1 - 2.0**-dc_block) / z))


@pytest.mark.parametrize("level", [-5000, -1, 1, 3000])
def test_a_level_goes_and_the_sound_stays(level: int) -> None:
    time = np.arange(64000) / 16000
    sound = np.round(8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16) + np.int16(level)
    out = np.array(filtered(sound, 8))[32000:]
    assert abs(out.mean()) < 1
    assert abs(np.sqrt(2 * (out.astype(float) ** 2).mean()) / 8000 / gain(1000, 8) - 1) < 0.0002
    assert abs(gain(1000, 8) - 1) < 0.002


@pytest.mark.parametrize("dc_block", [6, 8])
def test_its_corner_is_where_the_page_says(dc_block: int) -> None:
    corner = 16000 / (2 * math.pi * 2**dc_block)
    time = np.arange(160000) / 16000
    sound = np.round(20000 * np.sin(2 * np.pi * corner * time)).astype(np.int16)
    out = np.array(filtered(sound, dc_block), float)[-round(40 * 16000 / corner) :]  # whole periods
    assert abs(np.sqrt(2 * (out**2).mean()) / 20000 - gain(corner, dc_block)) < 0.0005
    assert abs(gain(corner, dc_block) - math.sqrt(0.5)) < 0.01


@pytest.mark.parametrize("door", ["pc", "m33"])
def test_images_print_what_the_model_says(tmp_path_factory: pytest.TempPathFactory, door: str) -> None:
    folder = tmp_path_factory.mktemp("dc")
    app = dataclasses.replace(HASHING, audio=Audio(8000, dc_block=6))
    image = build_image(folder, hashing_app(folder, app), board_of(door))
    sound = (bursts(60, seed=21).astype(np.int32) + 900).clip(-32768, 32767).astype(np.int16)
    expected = expected_lines(app, sound, stages=True)
    assert expected != expected_lines(HASHING, sound, stages=True)
    with open_image(door, image) as device:
        device.command("stages on")
        assert list(device.replay(sound)) == expected
