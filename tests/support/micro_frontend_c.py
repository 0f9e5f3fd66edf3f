# SPDX-License-Identifier: Apache-2.0
"""micro_frontend_t for tests, built at run time."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Audio, MicroFrontend, Window
from codegen.app.tables.micro_frontend import micro_frontend_tables
from tests.support.pipeline_c import library


class MicroFrontendC(ctypes.Structure):
    """micro_frontend_t."""

    _fields_ = [
        ("window", ctypes.c_size_t),
        ("fft", ctypes.c_size_t),
        ("filters", ctypes.c_size_t),
        ("first", ctypes.c_size_t),
        ("weights", ctypes.c_void_p),
        ("twiddles", ctypes.c_void_p),
        ("bands", ctypes.c_void_p),
        ("bank", ctypes.c_void_p),
        ("log2", ctypes.c_void_p),
        ("smoothing", ctypes.c_uint32 * 2),
        ("remaining", ctypes.c_uint32),
        ("smoothing_bits", ctypes.c_uint),
        ("gains", ctypes.c_void_p),
        ("gain_shift", ctypes.c_uint),
        ("log", ctypes.c_bool),
        ("log_shift", ctypes.c_uint),
        ("correction", ctypes.c_int),
        ("estimate", ctypes.c_void_p),
        ("scratch", ctypes.c_void_p),
    ]


class Frontend:
    """One front end with its state."""

    def __init__(self, audio: Audio, window: Window, frontend: MicroFrontend) -> None:
        made = micro_frontend_tables(audio, window, frontend)
        self.window, self.filters = window, frontend.filters
        self._kept: list[NDArray[Any]] = []
        padding = (0,) * (-window.size % 4)
        self.struct = MicroFrontendC(
            window=window.size,
            fft=made.fft,
            filters=frontend.filters,
            first=made.first,
            weights=self._array(made.window + padding, np.int16),
            twiddles=self._array(made.stages + made.split, np.int16),
            bands=self._array(made.bands, np.uint16),
            bank=self._array(made.bank, np.uint16),
            log2=self._array(made.log2, np.uint16),
            smoothing=made.smoothing,
            remaining=made.remaining,
            smoothing_bits=frontend.smoothing_bits,
            gains=self._array(made.gains, np.int16) if made.gains else None,
            gain_shift=made.gain_shift,
            log=frontend.log,
            log_shift=frontend.log_shift,
            correction=made.correction,
            estimate=self._array((0,) * frontend.filters, np.uint32),
            scratch=self._array((0xA5A5A5A5,) * made.fft, np.uint32),
        )

    def _array(self, values: Sequence[int], dtype: Any) -> int:
        array = np.array(values, dtype)
        self._kept.append(array)
        return int(array.ctypes.data)

    def reset(self) -> None:
        """micro_frontend_reset()."""
        library().micro_frontend_reset(ctypes.byref(self.struct))

    def __call__(self, samples: NDArray[np.int16]) -> NDArray[np.int32]:
        """micro_frontend_frame() of every window of a signal: int32[n, filters]. The estimate goes on."""
        size, stride = self.window.size, self.window.stride
        count = (len(samples) - size) // stride + 1 if len(samples) >= size else 0
        values = np.zeros((count, self.filters), np.int32)
        window = np.full(size + 4, 0x5A5A, np.int16)  # after its end anything may stand
        for i in range(count):
            window[:size] = samples[i * stride : i * stride + size]
            library().micro_frontend_frame(
                ctypes.byref(self.struct),
                ctypes.c_void_p(window.ctypes.data),
                ctypes.c_void_p(values[i].ctypes.data),
            )
        return values
