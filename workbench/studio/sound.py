# SPDX-License-Identifier: Apache-2.0
"""What a page draws of a recording of any length: tiles of its waveform and of its spectrogram.

A tile of level k has a column for every HOP * 4**k samples (waveform: 4**k). The browser asks for those that
it shows, so that an hour costs no more than a second.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.audio.recording import file_rate, read_audio
from workbench.audio.wav import wav_bytes

PEAK_COLUMNS = 1024  # of a tile of the waveform
COLUMNS = 256  # of a tile of the spectrogram
BINS = 128  # of a column, from 0 Hz to half the sample rate
HOP = 16  # samples between columns at level 0
LEVELS = 10
FLOOR = 100  # decibels below full scale that are drawn as nothing
LONGEST = 600  # seconds that are played at once
_DIRECT = 3  # coarser levels than this are made of finer ones
_KEPT = 3  # recordings in memory
_TILES = 4096  # of spectrograms, 32 KiB each


class Sound:
    """A recording in memory."""

    def __init__(self, path: Path, samples: NDArray[np.int16], rate: int, damage: str = "") -> None:
        """samples: int16[n], mono; rate: Hz; damage: what is wrong with the file behind them."""
        self.path, self.samples, self.rate, self.damage = path, samples, rate, damage
        self.peak = max(-int(samples.min()), int(samples.max()))
        self._size = min(4096, max(256, 1 << (rate // 40).bit_length()))  # of a transform: 25 ms and more
        self._window = np.hanning(self._size).astype(np.float32)
        self._tile = functools.lru_cache(_TILES)(self._spectrogram)

    def peaks(self, level: int, index: int) -> NDArray[np.int16]:
        """Least and largest sample of each column of a tile: int16[columns, 2], PEAK_COLUMNS at most."""
        step = _step(1, level, index)
        first = index * PEAK_COLUMNS * step
        part = self.samples[first : first + PEAK_COLUMNS * step]
        if not len(part):
            return np.zeros((0, 2), np.int16)
        starts = np.arange(0, len(part), step)
        return np.stack([np.minimum.reduceat(part, starts), np.maximum.reduceat(part, starts)], axis=1)

    def spectrogram(self, level: int, index: int) -> NDArray[np.uint8]:
        """Level in each of BINS bands, low ones first, of each column of a tile: uint8[columns, BINS].

        COLUMNS at most; 255 is a sine at full scale, 0 is FLOOR dB below it.
        """
        _step(HOP, level, index)
        return self._tile(level, index)

    def wav(self, start: int, end: int) -> bytes:
        """Samples from start to before end as a WAV file, LONGEST seconds at most."""
        start = max(0, start)
        part = self.samples[start : max(start, min(end, start + LONGEST * self.rate))]
        return wav_bytes(part, self.rate)

    def _spectrogram(self, level: int, index: int) -> NDArray[np.uint8]:
        if level > _DIRECT:
            finer = [self._tile(level - 1, 4 * index + part) for part in range(4)]
            columns = np.concatenate(finer)
            starts = np.arange(0, len(columns), 4)
            return np.maximum.reduceat(columns, starts) if len(starts) else columns
        hop = HOP * 4**level
        first = index * COLUMNS * hop
        count = min(COLUMNS, -(-(len(self.samples) - first) // hop))
        if count <= 0:
            return np.zeros((0, BINS), np.uint8)
        # A column is the sound around its middle; one longer than a transform is the loudest of several.
        each = max(1, hop // self._size)
        hop //= each
        begin = first + hop // 2 - self._size // 2
        length = (count * each - 1) * hop + self._size
        sound = np.zeros(length, np.float32)
        low, high = max(0, begin), min(len(self.samples), begin + length)
        sound[low - begin : high - begin] = self.samples[low:high]
        frames = np.lib.stride_tricks.sliding_window_view(sound, self._size)[::hop] * self._window
        power = np.abs(np.fft.rfft(frames, axis=1)[:, : self._size // 2]) ** 2
        bands = power.reshape(len(power), BINS, -1).max(axis=2)
        bands = bands.reshape(count, each, BINS).max(axis=1)
        full = (32768 * self._window.sum() / 2) ** 2  # of a sine at full scale
        decibels = 10 * np.log10(bands / full + 1e-12)
        values: NDArray[np.uint8] = np.clip(np.rint(255 * (1 + decibels / FLOOR)), 0, 255).astype(np.uint8)
        return values


class Sounds:
    """The recordings that were looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, int, int], Sound] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path) -> Sound:
        """A recording as it is now: its own rate, the mean of its channels; of a damaged one what lies before
        the damage. UserError where it cannot be read."""
        try:
            found = path.stat()
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", file=path) from None
        key = (path, found.st_mtime_ns, found.st_size)
        with self._lock:
            if key not in self._kept:
                rate = file_rate(path)
                if rate is None:
                    read_audio(path, 16000, options=False)  # says why it cannot be read
                    raise UserError("its sample rate cannot be read", file=path)
                damage = ""
                try:
                    samples = read_audio(path, rate, mix=True, convert=True, options=False)
                except UserError as error:  # what lies before a damage is read much more slowly
                    samples = read_audio(path, rate, mix=True, convert=True, options=False, readable=True)
                    damage = str(error)
                self._kept[key] = Sound(path, samples, rate, damage)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _step(finest: int, level: int, index: int) -> int:
    """Samples of a column; UserError for a tile that there is none of."""
    if not 0 <= level < LEVELS or not 0 <= index < 1 << 32:
        raise UserError(f"there is no tile {index} of level {level}")
    return finest << 2 * level
