# SPDX-License-Identifier: Apache-2.0
"""Log mel energies in float64, from the definitions of Kaldi and librosa: independent of codegen's tables.

Kaldi: feat/feature-window.cc, feat/mel-computations.cc. librosa: filters.mel, core.convert.hz_to_mel,
core.spectrum.power_to_db.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import LogMel, Window

Floats = NDArray[np.float64]


def window_function(name: str, size: int, *, periodic: bool) -> Floats:
    """Textbook windows over size samples."""
    angle = 2 * np.pi * np.arange(size) / (size if periodic else size - 1)
    hann = np.sin(angle / 2) ** 2
    known = {"hann": hann, "hamming": 0.54 - 0.46 * np.cos(angle), "povey": hann**0.85, "none": np.ones(size)}
    return np.asarray(known[name])


def mel_of(hertz: Floats, scale: str) -> Floats:
    """librosa's hz_to_mel, with htk or without; Kaldi's mel is htk's."""
    if scale in ("htk", "kaldi"):
        return np.asarray(2595 * np.log10(1 + hertz / 700))
    upper = 15 + 27 * np.log(np.maximum(hertz, 1000) / 1000) / np.log(6.4)
    return np.where(hertz >= 1000, upper, 3 * hertz / 200)


def hertz_of(mel: Floats, scale: str) -> Floats:
    """The inverse."""
    if scale in ("htk", "kaldi"):
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    return np.where(mel >= 15, 1000 * 6.4 ** ((mel - 15) / 27), 200 * mel / 3)


def filter_bank(rate: int, points: int, mel: LogMel) -> Floats:
    """[filters, points / 2 + 1]."""
    ends = mel_of(np.array([mel.low_hz, mel.high_hz]), mel.scale)
    places = np.linspace(ends[0], ends[1], mel.filters + 2)
    hertz = hertz_of(places, mel.scale)
    bins = np.asarray(np.arange(points // 2 + 1) * (rate / points), np.float64)
    x, corners = (mel_of(bins, "kaldi"), places) if mel.scale == "kaldi" else (bins, hertz)
    left, centre, right = (corners[i : i + mel.filters, None] for i in range(3))
    bank = np.maximum(0, np.minimum((x - left) / (centre - left), (right - x) / (right - centre)))
    bank[:, 0] = 0
    return np.asarray(bank * (2 / (hertz[2:] - hertz[:-2]))[:, None] if mel.norm == "slaney" else bank)


def log_mel(rate: int, window: Window, points: int, mel: LogMel, sound: NDArray[np.int16]) -> Floats:
    """[windows, filters]: the publisher's logarithms of a signal."""
    signal = sound.astype(np.float64) * mel.full_scale / 32768
    starts = range(0, len(sound) - window.size + 1, window.stride)
    frames = np.array([signal[start : start + window.size] for start in starts])
    if mel.carried:
        before = np.array([[signal[start - 1] if start else 0.0] for start in starts])
    else:
        before = frames[:, :1]
    frames = frames - mel.preemphasis * np.concatenate([before, frames[:, :-1]], axis=1)
    frames = frames * window_function(mel.window, window.size, periodic=mel.periodic)
    spectrum = np.abs(np.fft.rfft(frames, points))
    if mel.spectrum == "power":
        spectrum = spectrum**2
    if mel.per_sample:
        spectrum = spectrum / window.size
    energy = np.maximum(spectrum @ filter_bank(rate, points, mel).T + mel.offset, mel.floor)
    unit = {"db": np.log(10) / 10, "natural": 1.0, "log2": np.log(2)}[mel.log]
    return np.asarray(np.log(energy) / unit)
