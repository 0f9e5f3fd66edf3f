# SPDX-License-Identifier: Apache-2.0
"""The ring of frames, and the classifier that reads it: which frames a model sees, and how it is asked."""

from __future__ import annotations

import ctypes

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pipeline_c import library

FRAMES, SIZE = 5, 3


class CascadeStateC(ctypes.Structure):
    """cascade_state_t."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("count", "filled", "newest", "turn")]


class CascadeC(ctypes.Structure):
    """cascade_t."""

    _fields_ = [
        ("frames", ctypes.c_size_t),
        ("frame_size", ctypes.c_size_t),
        ("slide", ctypes.c_bool),
        ("every", ctypes.c_uint32),
        ("ring", ctypes.c_void_p),
        ("state", ctypes.POINTER(CascadeStateC)),
    ]


class Cascade:
    """One cascade, reset."""

    def __init__(self, frames: int = FRAMES, slide: bool = True, size: int = SIZE, every: int = 1) -> None:
        self.code = library()
        self.code.cascade_ready.restype = ctypes.c_bool
        self.code.cascade_count.restype = ctypes.c_uint32
        self.code.cascade_frame.restype = ctypes.c_void_p
        self.frames, self.size = frames, size
        self._ring = np.full(frames * size, 99, np.int8)
        self.state = CascadeStateC(7, 7, 7, 7)
        self.struct = CascadeC(frames, size, slide, every, self._ring.ctypes.data, ctypes.pointer(self.state))
        self.code.cascade_reset(ctypes.byref(self.struct))

    def push(self, frame: list[int]) -> None:
        values = np.array(frame, np.int8)
        self.code.cascade_push(ctypes.byref(self.struct), ctypes.c_void_p(values.ctypes.data))

    @property
    def ready(self) -> bool:
        return bool(self.code.cascade_ready(ctypes.byref(self.struct)))

    @property
    def count(self) -> int:
        return int(self.code.cascade_count(ctypes.byref(self.struct)))

    def decided(self) -> None:
        self.code.cascade_decided(ctypes.byref(self.struct))

    def frame(self, age: int) -> list[int]:
        address = self.code.cascade_frame(ctypes.byref(self.struct), ctypes.c_size_t(age))
        return list((ctypes.c_int8 * self.size).from_address(address))

    def copy(self) -> list[list[int]]:
        out = np.zeros(self.frames * self.size + 1, np.int8)
        out[-1] = 42
        self.code.cascade_copy(ctypes.byref(self.struct), ctypes.c_void_p(out.ctypes.data))
        assert out[-1] == 42
        return [list(map(int, row)) for row in out[:-1].reshape(self.frames, self.size)]


def numbered(index: int, size: int = SIZE) -> list[int]:
    """A frame that tells its number."""
    return [(index * 7 + j * 31) % 256 - 128 for j in range(size)]


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(0, 30), st.integers(1, 4))
def test_holds_the_last_frames_oldest_first(frames: int, pushed: int, size: int) -> None:
    cascade = Cascade(frames, size=size)
    for index in range(pushed):
        cascade.push(numbered(index, size))
        assert cascade.frame(0) == numbered(index, size)
        assert cascade.ready is (index + 1 >= frames)
    assert cascade.count == pushed
    for age in range(min(pushed, frames)):
        assert cascade.frame(age) == numbered(pushed - 1 - age, size)
    if pushed >= frames:
        assert cascade.copy() == [numbered(pushed - frames + i, size) for i in range(frames)]


def test_slides_after_a_decision_or_is_emptied_by_it() -> None:
    for slide in (True, False):
        cascade = Cascade(slide=slide)
        for index in range(FRAMES):
            cascade.push(numbered(index))
        assert cascade.ready
        cascade.decided()
        assert cascade.ready is slide
        for index in range(FRAMES, 2 * FRAMES):
            assert cascade.ready is slide
            cascade.push(numbered(index))
        assert cascade.ready
        assert cascade.count == 2 * FRAMES
        assert cascade.copy() == [numbered(FRAMES + i) for i in range(FRAMES)]


def test_every_third_frame_decides_once_the_cascade_is_full() -> None:
    cascade = Cascade(every=3)
    turns = []
    for index in range(1, 6 * FRAMES):
        cascade.push(numbered(index))
        if cascade.ready:
            turns.append(index)
            cascade.decided()
    assert turns == [index for index in range(FRAMES, 6 * FRAMES) if index % 3 == 0]


def test_an_undecided_full_cascade_keeps_sliding() -> None:
    cascade = Cascade(slide=False)
    for index in range(FRAMES + 3):
        cascade.push(numbered(index))
    assert cascade.ready
    assert cascade.copy() == [numbered(3 + i) for i in range(FRAMES)]


def test_the_count_wraps() -> None:
    cascade = Cascade()
    cascade.state.count = 2**32 - 1
    cascade.push(numbered(0))
    assert cascade.count == 0
