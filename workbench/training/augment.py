# SPDX-License-Identifier: Apache-2.0
"""Altered copies of a piece: shifted, faster or slower, in a room, louder or softer, another microphone, with
noise or other sounds under it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from workbench.audio.sounds import coloured
from workbench.training.pieces import Piece
from workbench.training.recipe import Augmentation

BANDS = (0.0, 0.1, 0.25, 0.5, 1.0)  # of half the sample rate: where the response is drawn, straight between
QUIET = (
    700.0  # a gain never brings a piece's peak below this (the energy gate of the tutorial opens at 600) ...
)
LOUD = 30000.0  # ... nor above this
NOISE_RANGE = 25.0  # dB from the loudest to the faintest noise or background
COLOURS = (0.0, -1.0, -2.0, 1.0, 2.0)  # white, pink, brown, blue, violet
DIRECT = (0.0, 20.0)  # dB by which a room's direct sound is above all that it adds
FIRST = (0.001, 0.02)  # of the reverberation time, until the first of it comes
CREST = 3.0  # peak over effective value of noise, about


def altered(
    samples: NDArray[np.int16],
    piece: Piece,
    random: RandomState,
    how: Augmentation,
    background: Sequence[NDArray[np.int16]] = (),
) -> NDArray[np.int16]:
    """One altered copy of the piece, as long as it; `samples` is its whole recording.

    background: sounds of which one is mixed into the share of the copies that `how` says.
    """
    length = piece.end - piece.start
    sound = _played(samples, piece, 2.0 ** float(random.uniform(-how.speed, how.speed)), _shift(random, how))
    sound = _tilted(sound, random.normal(0.0, 1.0, len(BANDS)) * how.tilt_db)
    if how.room and random.uniform() < how.room:
        sound = _in_a_room(sound, random, how.room_time)
    sound = sound * _gain(sound, float(random.uniform(-how.gain_db, how.gain_db)))
    if random.uniform() < how.noise:
        below = how.noise_db + float(random.uniform(0.0, NOISE_RANGE))
        noise = coloured(random, length, COLOURS[random.randint(len(COLOURS))])
        sound = sound + noise * (np.max(np.abs(sound)) * 10 ** (-below / 20) / CREST)
    if how.background and background and random.uniform() < how.background:
        below = how.background_db + float(random.uniform(0.0, NOISE_RANGE))
        other = _other(background, random, length)
        sound = sound + other * (
            np.max(np.abs(sound)) * 10 ** (-below / 20) / np.max(np.abs(other), initial=1.0)
        )
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def _other(background: Sequence[NDArray[np.int16]], random: RandomState, length: int) -> NDArray[np.float64]:
    """One of the sounds from a sample of its own on, again from its start where it ends."""
    sound = background[random.randint(len(background))]
    return np.resize(np.roll(sound, -random.randint(len(sound))), length).astype(np.float64)


def _shift(random: RandomState, how: Augmentation) -> int:
    return int(random.randint(-how.shift, how.shift + 1))


def _played(samples: NDArray[np.int16], piece: Piece, speed: float, shift: int) -> NDArray[np.float64]:
    """The piece at another speed and place, as long as it, out of the sound around it."""
    length = piece.end - piece.start
    times = np.arange(length) * speed
    middle = (length - 1) / 2 * (1 - speed)  # the piece's middle stays its middle
    last = max(0.0, len(samples) - 1 - times[-1])
    start = float(np.clip(piece.start + middle + shift, 0, last))
    first = int(start)
    around = samples[first : first + int(times[-1]) + 2].astype(np.float64)
    return np.asarray(np.interp(start - first + times, np.arange(len(around)), around, right=0.0))


def _tilted(sound: NDArray[np.float64], decibels: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(sound)
    response = np.interp(np.linspace(0, 1, len(spectrum)), BANDS, decibels)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (response / 20), len(sound)))


def _in_a_room(sound: NDArray[np.float64], random: RandomState, longest: int) -> NDArray[np.float64]:
    """Behind a room's response: the direct sound, then noise whose energy decays by 60 dB in up to `longest`
    samples, at least a tenth of it (Polack's model; Jot et al., Analysis and synthesis of room reverberation
    based on a statistical time-frequency model, 1997)."""
    time = float(random.uniform(longest / 10, longest))
    decay = random.normal(0.0, 1.0, max(2, round(time))) * 10 ** (-3 * np.arange(max(2, round(time))) / time)
    decay[: max(1, round(time * float(random.uniform(*FIRST))))] = 0.0
    below = 10 ** (-float(random.uniform(*DIRECT)) / 20)
    decay *= below / max(1e-9, float(np.sqrt(np.sum(decay**2))))
    decay[0] = 1.0
    size = len(sound) + len(decay)
    whole = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(decay, size), size)
    return np.asarray(whole[: len(sound)])


def _gain(sound: NDArray[np.float64], decibels: float) -> float:
    """The factor, held where it would make the sound too soft for the gate or clip it."""
    peak = float(np.max(np.abs(sound), initial=1.0))
    low, high = min(1.0, QUIET / peak), max(1.0, LOUD / peak)
    return float(np.clip(10 ** (decibels / 20), low, high))
