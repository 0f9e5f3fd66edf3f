# SPDX-License-Identifier: Apache-2.0
"""log_mel_t for tests, built at run time."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Audio, LogMel, Window
from codegen.app.tables.log_mel import log_mel_tables
from tests.support.pipeline_c import library


class LogMelC(ctypes.Structure):
    """log_mel_t."""

    _fields_ = [
        ("heard", ctypes.c_size_t),
        ("carried", ctypes.c_size_t),
        ("fft", ctypes.c_size_t),
        ("filters", ctypes.c_size_t),
        ("preemphasis", ctypes.c_int32),
        ("weights", ctypes.c_void_p),
        ("sines", ctypes.c_void_p),
        ("magnitude", ctypes.c_bool),
        ("bank", ctypes.c_void_p),
        ("mel", ctypes.c_void_p),
        ("addends", ctypes.c_void_p),
        ("log2", ctypes.c_void_p),
        ("floor", ctypes.c_int32),
        ("unit", ctypes.c_int32),
        ("state", ctypes.c_void_p),
        ("scratch", ctypes.c_void_p),
    ]


_BANK = np.dtype([("first", np.uint16), ("count", np.uint16), ("unit", np.int32)])
_ADDEND = np.dtype([("mantissa", np.uint32), ("exponent", np.int32)])


class LogMelFrames:
    """One front end with its state."""

    def __init__(self, audio: Audio, window: Window, mel: LogMel) -> None:
        made = log_mel_tables(audio, window, mel)
        self.window, self.filters, self.fft = window, mel.filters, made.fft
        self._kept: list[NDArray[Any]] = []
        bank = list(zip(made.firsts, made.counts, made.units, strict=True))
        self.struct = LogMelC(
            heard=len(made.weights),
            carried=window.stride if mel.carried else 0,
            fft=made.fft,
            filters=mel.filters,
            preemphasis=made.preemphasis,
            weights=self._array(made.weights, np.int32),
            sines=self._array(made.sines, np.int32),
            magnitude=mel.spectrum == "magnitude",
            bank=self._array(bank, _BANK),
            mel=self._array(made.mel, np.uint16),
            addends=self._array(list(made.addends), _ADDEND) if made.addends else None,
            log2=self._array(made.log2, np.int32),
            floor=made.floor,
            unit=made.unit,
            state=self._array([0x5A5A], np.int16),
            scratch=self._array([0xA5A5A5A5] * made.fft, np.uint32),
        )

    def _array(self, values: Any, dtype: Any) -> int:
        array = np.array(values, dtype)
        self._kept.append(array)
        return int(array.ctypes.data)

    def __call__(self, samples: NDArray[np.int16]) -> NDArray[np.int32]:
        """log_mel_reset(), and log_mel_frame() of every window of a signal: int32[n, filters]."""
        library().log_mel_reset(ctypes.byref(self.struct))
        starts = range(0, len(samples) - self.window.size + 1, self.window.stride)
        values = np.zeros((len(starts), self.filters), np.int32)
        for row, start in zip(values, starts, strict=True):
            frame = np.ascontiguousarray(samples[start : start + self.window.size])
            library().log_mel_frame(
                ctypes.byref(self.struct),
                ctypes.c_void_p(frame.ctypes.data),
                ctypes.c_void_p(row.ctypes.data),
            )
        return values
