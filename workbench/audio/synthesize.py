# SPDX-License-Identifier: Apache-2.0
"""Labelled recordings out of a seed, for machines without real ones. They prove nothing about real doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from workbench.audio import sounds
from workbench.audio.wav import wav_bytes
from workbench.data.labels import Segment, write_labels

RATE = 16000  # Hz
SEGMENT = 8000  # samples of a labelled event
LABELS = ("keyboard_typing", "knocking", "mouse_click", "unknown")
SPACING = 24000  # samples from one event to the next
FLOOR = 25.0  # peak of the background noise, int16 steps: the energy gate stays shut

# Where an event may begin within its segment: every 6000-sample vector of the 8000 samples then holds all of
# a short event and enough of a long one.
ONSET = (1600, 2800)
PEAKS = {
    "keyboard_typing": (1500, 9000),
    "knocking": (6000, 28000),
    "mouse_click": (1500, 10000),
    "unknown": (4000, 28000),
}
EVENTS: dict[str, Callable[[RandomState, int], sounds.Signal]] = {
    "keyboard_typing": sounds.typing,
    "knocking": sounds.knock,
    "mouse_click": sounds.mouse_click,
}


@dataclass(frozen=True)
class SyntheticRecording:
    """int16 mono samples at RATE, and what is heard where: (start, end, label)."""

    samples: NDArray[np.int16]
    segments: tuple[tuple[int, int, str], ...]


def events(label: str, count: int, seed: int) -> SyntheticRecording:
    """`count` events of one kind over a quiet background, each in a labelled segment of SEGMENT samples."""
    random = RandomState(seed)
    signal = _background(random, count * SPACING + SEGMENT)
    segments = []
    for number in range(count):
        start = number * SPACING + SPACING - SEGMENT
        sound = EVENTS[label](random, RATE)
        sounds.place(signal, _peak(random, label, sound), start + int(random.randint(*ONSET)))
        segments.append((start, start + SEGMENT, label))
    return SyntheticRecording(_int16(signal), tuple(segments))


def noise(seconds: float, seed: int) -> SyntheticRecording:
    """One noise that is none of the events, labelled unknown from end to end."""
    random = RandomState(seed)
    samples = round(seconds * RATE)
    make = sounds.NOISES[seed % len(sounds.NOISES)]
    signal = _background(random, samples) + _peak(random, "unknown", make(random, RATE, samples))
    return SyntheticRecording(_int16(signal), ((0, samples, "unknown"),))


def write_session(
    folder: Path, seed: int, recordings: int = 4, count: int = 6, session: str = "train"
) -> Path:
    """A session of labelled WAVs in `folder`; returns its labels.csv. A seed always writes the same bytes.

    recordings: files a class; count: events a file, of noise the seconds.
    """
    made = []
    for index, label in enumerate(LABELS):
        for number in range(recordings):
            own_seed = (seed * 1000 + number) * len(LABELS) + index
            recording = noise(count, own_seed) if label == "unknown" else events(label, count, own_seed)
            made.append((f"{session}_{label}_{number:02d}.wav", recording))
    return _write(folder, made, session)


def demo_recordings(folder: Path) -> list[Path]:
    """Four WAVs of 5 to 8 seconds for a demonstration, one a class, with a labels.csv beside them."""
    made = [
        ("knocks.wav", events("knocking", 5, DEMO_SEEDS["knocking"])),
        ("mouse_clicks.wav", events("mouse_click", 5, DEMO_SEEDS["mouse_click"])),
        ("typing.wav", events("keyboard_typing", 5, DEMO_SEEDS["keyboard_typing"])),
        ("noise.wav", noise(5, DEMO_SEEDS["unknown"])),
    ]
    _write(folder, made, "demo")
    return [folder / name for name, _ in made]


DEMO_SEEDS = {"keyboard_typing": 7001, "knocking": 7002, "mouse_click": 7003, "unknown": 7004}


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """16-bit mono WAV at RATE."""
    path.write_bytes(wav_bytes(samples, RATE))


def _write(folder: Path, made: Sequence[tuple[str, SyntheticRecording]], session: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    segments = []
    for name, recording in made:
        file = (folder / name).absolute()
        write_wav(file, recording.samples)
        segments += [Segment(file, *segment, session=session) for segment in recording.segments]
    labels = folder / "labels.csv"
    write_labels(labels, segments)
    return labels


def _background(random: RandomState, samples: int) -> sounds.Signal:
    return FLOOR * random.uniform(0.3, 1.0) * sounds.coloured(random, samples, -1)


def _peak(random: RandomState, label: str, sound: sounds.Signal) -> sounds.Signal:
    """The sound at a level that its kind has."""
    low, high = np.log(PEAKS[label])
    return np.asarray(sound * (np.exp(random.uniform(low, high)) / np.max(np.abs(sound))))


def _int16(signal: sounds.Signal) -> NDArray[np.int16]:
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)
