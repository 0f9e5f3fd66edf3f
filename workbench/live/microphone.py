# SPDX-License-Identifier: Apache-2.0
"""This computer's microphone, by the optional package sounddevice."""

from __future__ import annotations

import queue
from collections.abc import Generator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError

WAITING = 200  # pieces that wait at most: more come only when this computer is far too slow
_SILENCE = 10.0  # seconds without a piece until the microphone is given up
REMEDY = (
    "Install it: .venv/bin/pip install sounddevice, and on Debian or Ubuntu the library: "
    "sudo apt-get install libportaudio2."
)


def sounddevice() -> ModuleType:
    """The package. UserError where it, or the library that it needs, is missing."""
    try:
        import sounddevice as module
    except (ImportError, OSError) as error:
        raise UserError(
            f"the microphone needs the package sounddevice, which cannot be loaded: {error}", remedy=REMEDY
        ) from None
    found: ModuleType = module
    return found


def listen(rate: int, size: int) -> Generator[NDArray[np.int16], None, None]:
    """Pieces of `size` samples, int16 mono at `rate` Hz, as they come, for ever. UserError: no microphone,
    not this rate, or more sound came than could be taken."""
    module = sounddevice()
    waiting: queue.Queue[bytes] = queue.Queue(WAITING)
    lost: list[str] = []

    def take(data: Any, frames: int, time: Any, status: Any) -> None:
        if status:
            lost.append(str(status))
        try:
            waiting.put_nowait(bytes(data))
        except queue.Full:
            lost.append("more pieces wait than there is room for")

    try:
        stream = module.RawInputStream(
            samplerate=rate, channels=1, dtype="int16", blocksize=size, callback=take
        )
        stream.start()
    except (module.PortAudioError, ValueError) as error:
        raise UserError(
            f"the microphone does not open at {rate} Hz: {error}",
            remedy="`python -m sounddevice` lists what there is; the system's settings choose one.",
        ) from None
    with stream:
        while True:
            if lost:
                raise UserError(f"sound of the microphone was lost: {lost[0]}")
            try:
                yield np.frombuffer(waiting.get(timeout=_SILENCE), "<i2").astype(np.int16)
            except queue.Empty:
                raise UserError(f"the microphone gives nothing for {_SILENCE:g} seconds") from None
