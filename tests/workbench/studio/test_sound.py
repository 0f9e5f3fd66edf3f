# SPDX-License-Identifier: Apache-2.0
"""Tiles of a recording, against sums over its samples and sines of known level."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.common.errors import UserError
from workbench.studio.sound import BINS, COLUMNS, FLOOR, HOP, LEVELS, PEAK_COLUMNS, Sound, Sounds

RATE = 16000
NOISE = np.random.default_rng(7).integers(-32768, 32768, 100_003).astype(np.int16)


def sound(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Sound:
    return Sound(Path("door.wav"), samples, RATE)


@pytest.mark.parametrize("level", [0, 1, 3, 7, LEVELS - 1])
def test_a_column_of_the_waveform_has_its_least_and_largest_sample(level: int) -> None:
    one, step = sound(NOISE), 4**level
    columns: list[tuple[int, int]] = []
    for index in range(-(-len(NOISE) // (PEAK_COLUMNS * step)) + 1):
        columns += [(int(least), int(most)) for least, most in one.peaks(level, index)]
    parts = [NOISE[start : start + step] for start in range(0, len(NOISE), step)]
    assert columns == [(int(part.min()), int(part.max())) for part in parts]


@pytest.mark.parametrize("level", [0, 3, 5])
@pytest.mark.parametrize("decibels", [0, -40])
def test_a_sine_has_its_place_and_its_level(level: int, decibels: int) -> None:
    """At the middle of a band of 62.5 Hz; 255 is full scale."""
    band = 32
    frequency = (band + 0.5) * RATE / 2 / BINS
    time = np.arange(20 * RATE) / RATE
    samples = np.rint(32767 * 10 ** (decibels / 20) * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
    tile = sound(samples).spectrogram(level, 0)
    assert tile.shape == (min(COLUMNS, -(-len(samples) // (HOP * 4**level))), BINS)
    middle = tile[len(tile) // 2]
    assert int(middle.argmax()) == band
    assert (
        abs(int(middle[band]) - 255 * (1 + decibels / FLOOR)) <= 4
    )  # 1.5 dB: between two lines of a transform
    assert int(middle[band + 6]) < int(middle[band]) - 100


def test_a_coarse_column_is_the_loudest_of_the_finer_ones() -> None:
    samples = np.zeros(HOP * 4**4 * 6 + 5, np.int16)
    samples[HOP * 4**4 * 2 + 700 : HOP * 4**4 * 2 + 900] = NOISE[:200]
    one = sound(samples)
    fine, coarse = one.spectrogram(3, 0), one.spectrogram(4, 0)
    assert coarse.shape == (7, BINS)
    for number, column in enumerate(coarse):
        assert np.array_equal(column, fine[4 * number : 4 * number + 4].max(axis=0))
    assert [bool(column.any()) for column in coarse] == [False, False, True, False, False, False, False]


def test_tiles_that_there_are_none_of_are_empty_or_refused() -> None:
    one = sound(NOISE)
    assert one.peaks(0, 1000).shape == (0, 2)
    assert one.spectrogram(5, 1000).shape == (0, BINS)
    for level, index in ((-1, 0), (LEVELS, 0), (0, -1), (0, 1 << 40)):
        with pytest.raises(UserError):
            one.peaks(level, index)
        with pytest.raises(UserError):
            one.spectrogram(level, index)


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(5, 105, (5, 105)), (-9, 10, (0, 10)), (9, 3, (9, 9))]
)
def test_a_part_is_played_as_it_is(start: int, end: int, expected: tuple[int, int]) -> None:
    with wave.open(io.BytesIO(sound(NOISE).wav(start, end))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.readframes(1 << 20) == NOISE[slice(*expected)].tobytes()


def test_recordings_of_any_kind_are_shown_and_a_changed_one_is_read_again(tmp_path: Path) -> None:
    sounds, path = Sounds(), tmp_path / "door.wav"
    stereo = np.stack([NOISE[:4000] // 2, NOISE[:4000] // 2], axis=1)
    soundfile.write(path, stereo, 44100, "PCM_16")
    found = sounds.open(path)
    assert found.rate == 44100
    assert np.array_equal(found.samples, stereo[:, 0])
    assert sounds.open(path) is found
    soundfile.write(path, NOISE[:100] / 32768, RATE, "FLOAT")
    assert np.array_equal(sounds.open(path).samples, NOISE[:100])
    path.write_bytes(b"no sound at all")
    with pytest.raises(UserError, match="is not audio that can be read"):
        sounds.open(path)
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        sounds.open(path)
