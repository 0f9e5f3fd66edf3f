# SPDX-License-Identifier: Apache-2.0
"""Synthetic door sounds, one event or stretch at a time: knocks, mouse clicks, typing, and other noises.

Every function draws from the RandomState it is given and from nothing else, so a seed always makes the same
sound (NumPy keeps RandomState's streams unchanged for good). Signals are float64 of about -1..1. Models are
simple: struck things are sums of damped sinusoids (modes) behind a few milliseconds of contact noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def damped(modes: Signal, rate: int, seconds: float) -> Signal:
    """Sum of damped sinusoids. modes: rows of (Hz, decay time in s to 1/e, amplitude, phase)."""
    time = np.arange(round(seconds * rate)) / rate
    hertz, decay, amplitude, phase = modes.T[:, :, np.newaxis]
    rings = amplitude * np.exp(-time / decay) * np.sin(2 * np.pi * hertz * time + phase)
    return np.asarray(rings.sum(axis=0))


def burst(random: RandomState, rate: int, decay: float, brightness: float) -> Signal:
    """A noise burst of 1/e time `decay` s. brightness 0..1: from thud to hiss."""
    samples = max(8, round(6 * decay * rate))
    noise = random.uniform(-1, 1, samples)
    smooth = np.convolve(noise, np.ones(5) / 5, mode="same") * 2
    mixed = brightness * np.diff(noise, prepend=0.0) + (1 - brightness) * smooth
    return np.asarray(mixed * np.exp(-np.arange(samples) / (decay * rate)))


def place(signal: Signal, event: Signal, at: int, gain: float = 1.0) -> None:
    """Adds the event to the signal from sample `at` on, cut where the signal ends."""
    room = signal[at : at + len(event)]
    room += gain * event[: len(room)]


def uniform(random: RandomState, *ranges: tuple[float, float]) -> list[float]:
    """One draw from each range."""
    return [float(random.uniform(low, high)) for low, high in ranges]


def knock(random: RandomState, rate: int) -> Signal:
    """2 to 4 knocks of one hand on one door: low panel modes, a dull contact, and the room's short answer."""
    lowest, decay, spacing, hardness = uniform(random, (70, 170), (0.012, 0.045), (0.13, 0.28), (0.15, 0.5))
    ratios = np.cumprod(random.uniform(1.3, 1.75, 7))
    hertz = lowest * np.concatenate([[1.0], ratios])
    modes = np.stack(
        [
            hertz,
            decay * (lowest / hertz) ** 0.6,
            random.uniform(0.4, 1.0, 8) * (lowest / hertz) ** uniform(random, (0.2, 0.6))[0],
            random.uniform(0, 2 * np.pi, 8),
        ],
        axis=1,
    )
    count = int(random.randint(2, 5))
    signal = np.zeros(round((count * spacing * 1.25 + 0.25) * rate))
    at = 0.0
    for _ in range(count):
        strike = damped(modes, rate, 0.22)
        place(strike, burst(random, rate, 0.003, 0.1), 0, hardness)
        place(signal, strike, round(at * rate), uniform(random, (0.6, 1.0))[0])
        at += spacing * uniform(random, (0.85, 1.15))[0]
    return reverberated(random, signal, rate)


def tick(random: RandomState, rate: int, low: float, high: float, decay: float) -> Signal:
    """One small plastic part that snaps: four modes between low and high Hz, and contact noise."""
    hertz = random.uniform(low, min(high, 0.47 * rate), 4)
    modes = np.stack(
        [
            hertz,
            random.uniform(0.5, 1.5, 4) * decay,
            random.uniform(0.3, 1.0, 4),
            random.uniform(0, 2 * np.pi, 4),
        ],
        axis=1,
    )
    signal = damped(modes, rate, 8 * decay)
    place(signal, burst(random, rate, 0.4 * decay, 0.7), 0, 0.8)
    return signal


def mouse_click(random: RandomState, rate: int) -> Signal:
    """Press and release of one button, sometimes twice: bright ticks 50 to 140 ms apart, nothing below."""
    decay, gap, softer = uniform(random, (0.0012, 0.003), (0.05, 0.14), (0.4, 0.9))
    press, release = (tick(random, rate, 1500, 6500, decay) for _ in range(2))
    double = random.uniform() < 0.4
    pause = uniform(random, (0.11, 0.2))[0]
    signal = np.zeros(round((2 * gap + pause + 0.1) * rate))
    for turn in range(2 if double else 1):
        at = turn * (gap + pause)
        place(signal, press, round(at * rate))
        place(signal, release, round((at + gap) * rate), softer)
    return signal


def typing(random: RandomState, rate: int, seconds: float = 0.5) -> Signal:
    """A burst of key strokes, 7 to 13 a second: each a tick, the key's bottoming out, and a soft release."""
    pace, decay, bottom, depth = uniform(random, (7, 13), (0.003, 0.008), (180, 520), (0.3, 0.9))
    signal = np.zeros(round(seconds * rate))
    at = 0.0
    while at < seconds - 0.03:
        stroke = tick(random, rate, 700, 5000, decay)
        thud = np.array([[bottom * uniform(random, (0.8, 1.25))[0], 0.009, depth, 0.0]])
        place(signal, stroke, round(at * rate), uniform(random, (0.5, 1.0))[0])
        place(signal, damped(thud, rate, 0.06), round((at + 0.004) * rate))
        place(signal, tick(random, rate, 1200, 5000, decay / 2), round((at + 0.07) * rate), 0.25)
        at += uniform(random, (0.6, 1.5))[0] / pace
    return signal


def coloured(random: RandomState, samples: int, exponent: float) -> Signal:
    """Noise with a power spectrum of f to the `exponent` (0 white, -1 pink, -2 brown), peak 1."""
    spectrum = np.fft.rfft(random.uniform(-1, 1, samples))
    bins = np.maximum(np.arange(len(spectrum)), max(1, samples // 800))
    signal = np.fft.irfft(spectrum * bins ** (exponent / 2), samples)
    return np.asarray(signal / np.max(np.abs(signal)))


def reverberated(random: RandomState, signal: Signal, rate: int) -> Signal:
    """A few early reflections, 5 to 60 ms late."""
    result = signal.copy()
    for _ in range(5):
        late, gain = uniform(random, (0.005, 0.06), (0.02, 0.2))
        place(result, signal, round(late * rate), gain)
    return result


def rain(random: RandomState, rate: int, samples: int) -> Signal:
    """Steady noise that swells slowly."""
    time = np.arange(samples) / rate
    depth, speed = uniform(random, (0.0, 0.5), (0.2, 1.5))
    swell = 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * speed * time))
    return coloured(random, samples, uniform(random, (-1.6, 0.2))[0]) * swell


def engine(random: RandomState, rate: int, samples: int) -> Signal:
    """A motor: harmonics of a slowly drifting pitch, and some noise."""
    time = np.arange(samples) / rate
    pitch, drift, hiss = uniform(random, (50, 180), (0.0, 0.05), (0.1, 0.6))
    phase = 2 * np.pi * pitch * (time + drift * np.sin(2 * np.pi * 0.5 * time))
    signal = sum(
        (np.sin(k * phase) / k ** uniform(random, (0.5, 1.2))[0] for k in range(1, 15)), np.zeros(samples)
    )
    return np.asarray(signal / np.max(np.abs(signal))) + hiss * coloured(random, samples, -0.5)


def alarm(random: RandomState, rate: int, samples: int) -> Signal:
    """A siren or a beeper: a tone that sweeps or stops and goes."""
    time = np.arange(samples) / rate
    pitch, width, speed, duty = uniform(random, (500, 2600), (0.0, 0.4), (0.4, 4), (0.4, 1.1))
    phase = 2 * np.pi * pitch * (time + width / (2 * np.pi * speed) * np.sin(2 * np.pi * speed * time))
    on = (time * speed) % 1 < duty
    return np.asarray((np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.15 * np.sin(3 * phase)) * on)


def voice(random: RandomState, rate: int, samples: int) -> Signal:
    """Vowel-like sounds in syllables: a buzz through three resonances."""
    signal = np.zeros(samples)
    at = 0
    while at < samples:
        length, pause, pitch = uniform(random, (0.1, 0.35), (0.02, 0.2), (90, 260))
        period = round(rate / pitch)
        formants = np.array(
            [
                [hertz, decay, gain, 0.0]
                for hertz, decay, gain in zip(
                    uniform(random, (300, 850), (850, 2200), (2300, 3300)),
                    (0.010, 0.007, 0.005),
                    (1.0, 0.6, 0.3),
                    strict=True,
                )
            ]
        )
        pulse = damped(formants, rate, 0.04)
        for start in range(at, min(samples, at + round(length * rate)), period):
            place(signal, pulse, start)
        at += round((length + pause) * rate)
    return signal + 0.02 * coloured(random, samples, 0)


Noise = Callable[[RandomState, int, int], Signal]
NOISES: tuple[Noise, ...] = (rain, engine, alarm, voice)
