# SPDX-License-Identifier: Apache-2.0
"""Stands in place of the package sounddevice: a microphone that hears a tone of 440 Hz, in real time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

PEAK = 8000


class PortAudioError(Exception):
    """What the package raises."""


class RawInputStream:
    """Pieces of the tone, until it is left."""

    def __init__(
        self,
        samplerate: int,
        channels: int,
        dtype: str,
        blocksize: int,
        callback: Callable[[bytes, int, None, None], None],
    ) -> None:
        assert (channels, dtype) == (1, "int16")
        self._rate, self._size, self._callback = samplerate, blocksize, callback
        self._over = threading.Event()

    def start(self) -> None:
        """The sound begins."""
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        at = 0
        while not self._over.wait(self._size / self._rate):
            time = (at + np.arange(self._size)) / self._rate
            piece = np.rint(PEAK * np.sin(2 * np.pi * 440 * time)).astype("<i2")
            self._callback(piece.tobytes(), self._size, None, None)
            at += self._size

    def __enter__(self) -> RawInputStream:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
