# SPDX-License-Identifier: Apache-2.0
"""The synthesiser: the same sounds from the same seed, labelled where they are, of the kind named."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import NDArray

from tests.support.cli import earshot, refused
from workbench.audio import sounds
from workbench.audio.recording import read_audio
from workbench.audio.synthesize import (
    EVENTS,
    LABELS,
    RATE,
    SEGMENT,
    demo_recordings,
    events,
    noise,
    write_session,
)
from workbench.data.labels import read_labels

GATE = 600  # the tutorial's threshold


def test_a_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_session(tmp_path / folder, 3, recordings=1, count=2)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 5
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_makes_other_sounds() -> None:
    assert not np.array_equal(events("knocking", 1, 1).samples, events("knocking", 1, 2).samples)


def loudness(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


# Effective values of a recording of each kind, seed 1: a change of the generators shows here, a last bit that
# differs between machines does not.
LOUDNESS = {"keyboard_typing": 273.2, "knocking": 705.9, "mouse_click": 37.8, "unknown": 2483.7}


@pytest.mark.parametrize("label", LABELS)
def test_sounds_stay_what_they_were(label: str) -> None:
    recording = noise(2, 1) if label == "unknown" else events(label, 1, 1)
    assert loudness(recording.samples) == pytest.approx(LOUDNESS[label], rel=3e-3)


@pytest.mark.parametrize("label", EVENTS)
@pytest.mark.parametrize("seed", range(5))
def test_the_gate_opens_in_labelled_segments_alone(label: str, seed: int) -> None:
    recording = events(label, 4, seed)
    quiet = np.abs(recording.samples.astype(np.int32))
    assert len(recording.segments) == 4
    for start, end, named in recording.segments:
        assert (end - start, named) == (SEGMENT, label)
        assert quiet[start:end].max() > GATE
        # An event may ring on after its segment, none begins before it.
        assert quiet[start - 1600 : start].max() < GATE


def band_share(samples: NDArray[np.int16], low: float, high: float) -> float:
    """Share of the energy between two frequencies."""
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(hertz >= low) & (hertz < high)].sum() / power.sum())


@pytest.mark.parametrize("seed", range(5))
def test_knocks_are_low_and_clicks_are_high(seed: int) -> None:
    assert band_share(events("knocking", 3, seed).samples, 0, 1500) > 0.9
    assert band_share(events("mouse_click", 3, seed).samples, 1500, 8000) > 0.8


def test_knocks_are_two_to_four() -> None:
    counts = set()
    for seed in range(60):
        signal = np.abs(sounds.knock(RandomState(seed), RATE))
        loud = np.flatnonzero(signal > 0.3 * signal.max()) / RATE
        counts.add(1 + int(np.sum(np.diff(loud) > 0.08)))
    assert counts == {2, 3, 4}


@pytest.mark.parametrize("make", sounds.NOISES)
def test_noises_are_as_long_as_asked_and_never_silent_for_long(make: sounds.Noise) -> None:
    signal = make(RandomState(5), RATE, 3 * RATE)
    assert signal.shape == (3 * RATE,)
    assert np.isfinite(signal).all()
    seconds = np.abs(signal).reshape(3, RATE).max(axis=1)
    assert seconds.min() > 0.1 * seconds.max()


def test_a_session_is_what_its_labels_say(tmp_path: Path) -> None:
    segments = read_labels(write_session(tmp_path, 9, recordings=2, count=3, session="night"), RATE)
    assert {segment.session for segment in segments} == {"night"}
    for label in LABELS:
        own = [segment for segment in segments if segment.label == label]
        assert len({segment.file for segment in own}) == 2
        assert len(own) == (2 if label == "unknown" else 6)
        for segment in own:
            assert segment.end <= len(read_audio(segment.file, RATE))


def test_demo_recordings(tmp_path: Path) -> None:
    files = demo_recordings(tmp_path / "demo")
    labels = {segment.file: segment.label for segment in read_labels(tmp_path / "demo" / "labels.csv", RATE)}
    assert sorted(labels.values()) == sorted(LABELS)
    assert set(files) == set(labels)
    for file in files:
        with wave.open(str(file)) as stream:
            assert (stream.getnchannels(), stream.getsampwidth(), stream.getframerate()) == (1, 2, RATE)
            assert 4 <= stream.getnframes() / RATE <= 9


def test_command(tmp_path: Path) -> None:
    done = earshot("synthesize", "-o", tmp_path / "out", "--seed", "2", "--recordings", "1", "--events", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"4 recordings are labelled in {tmp_path}/out/labels.csv\n"
    assert {segment.session for segment in read_labels(tmp_path / "out" / "labels.csv", RATE)} == {"test"}


def test_command_refuses(tmp_path: Path) -> None:
    assert "--events 0 is out of range; 1..1000" in refused("synthesize", "-o", tmp_path, "--events", "0")
    (tmp_path / "file").touch()
    assert "is a file; a folder is wanted" in refused("synthesize", "-o", tmp_path / "file")
