# SPDX-License-Identifier: Apache-2.0
"""The fixed-point MFCC against Kaldi's in float64: the bounds that docs/front_end.md states.

The FFT keeps 16 bits under the loudest sample of a window, so what limits it is the level of a filter's bins
in steps of that FFT: `level`, their root mean square.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.reference import mfcc_float
from tests.reference.mfcc_integer import Config
from tests.support.mfcc_configs import code_of, fitting
from tests.support.shared import shared

Floats = NDArray[np.float64]

SETS = 120
WINDOWS = 24

# docs/front_end.md: a logarithm (4096 a neper) is within EVEN + NOISE / level.
EVEN = 100
NOISE = 200_000
NARROW_NOISE = 600_000  # of a filter narrower than a bin
LEVEL_MIN = 16.0
# Where every filter's level is USABLE, cepstra before the lifter are within these.
USABLE = 128.0
FIRST = 1200
OTHERS = 820


def coloured(rng: np.random.Generator, count: int, size: int) -> NDArray[np.int16]:
    """Noise between rumble and hiss, peaks from 30 steps to full scale."""
    spectrum = np.fft.rfft(rng.standard_normal((count, size)))
    frequency = np.maximum(1, np.arange(spectrum.shape[1]))
    noise = np.fft.irfft(spectrum * frequency ** rng.uniform(-1, 1), size)
    noise *= 10 ** rng.uniform(1.5, 4.51, (count, 1)) / np.abs(noise).max(axis=1, keepdims=True)
    return np.clip(np.round(noise), -32768, 32767).astype(np.int16)


def random_config(rng: np.random.Generator) -> Config:
    """Settings a person might choose."""
    rate, fft = int(rng.integers(8000, 48001)), int(rng.choice([128, 256, 512, 1024, 2048, 4096]))
    filters = int(rng.integers(8, 41))
    return fitting(
        Config(
            sample_rate=rate,
            window=int(rng.integers(fft // 2, fft + 1)),
            fft=fft,
            filters=filters,
            cepstra=min(13, filters),
            low_hz=float(rng.integers(0, 400)),
            high_hz=float(rng.integers(rate // 4, rate // 2 + 1)),
            preemphasis=float(rng.choice([0.0, 0.5, 0.9, 0.97])),
        )
    )


def levels(config: Config, energies: Floats, shift: int) -> Floats:
    """Root mean square of each filter's bins in steps of the FFT."""
    step = 2.0 ** (2 * (6 - shift) + 2 * int(np.log2(min(config.fft, 1024))) - 10)
    return np.asarray(np.sqrt(energies / step / (4096 * mfcc_float.triangles(config).sum(axis=1))))


def dct_bound(log_mel: Floats, error: Floats, cepstra: Floats) -> float:
    """Of a cepstrum behind these logarithms with these errors. A row of the DCT has the norm 1, so by Cauchy
    and Schwarz it makes no more of the errors than their norm; beside it what its own integers lose: cosines
    and their factor have 11 bits, logarithms are halved, two shifts cut, and the lifter has 12 bits."""
    count = len(log_mel)
    factor = np.sqrt(2 / count)
    table = factor * (np.abs(log_mel).sum() * 0.5 / 2048 + count)
    shares = np.abs(cepstra[1:]).max() * (0.5 / (2048 * factor) + 2 / 4096)
    return float(np.linalg.norm(error) + table + shares + 4)


@lru_cache(maxsize=1)
def measured() -> tuple[Floats, Floats]:
    """[n, 3]: level, width in bins, error of every logarithm above the floor; and
    [n, 4]: lowest level, error of cepstrum 0, largest of the others of every window, before the lifter, and
    what the others' errors are below by dct_bound()."""
    rng = np.random.default_rng(2024)
    logarithms: list[Floats] = []
    cepstra: list[list[float]] = []
    for _ in range(SETS):
        config = random_config(rng)
        code = code_of(config)
        samples = coloured(rng, WINDOWS, config.window)
        energies = mfcc_float.energies(config, samples)
        expected = mfcc_float.mfcc(config, samples) / mfcc_float.lifter(config)
        widths = mfcc_float.triangles(config).sum(axis=1)
        for window, energy, cepstrum in zip(samples, energies, expected, strict=True):
            values, peak = code.windowed(window)
            shift = code.normalised(values, peak)
            log_mel = code.log_mel(code.spectrum(values), shift)
            level = levels(config, energy, shift)
            error = log_mel - mfcc_float.log_mel(config, energy)
            above = mfcc_float.log_mel(config, energy) > mfcc_float.floor(config)
            logarithms.append(np.stack([level, widths, error], axis=1)[above])
            difference = np.abs(np.array(code(window)) / mfcc_float.lifter(config) - cepstrum)
            bound = dct_bound(mfcc_float.log_mel(config, energy), error, cepstrum)
            cepstra.append([level.min(), difference[0], difference[1:].max(), bound])
    return np.concatenate(logarithms), np.array(cepstra)


@pytest.mark.parametrize("narrow", [False, True])
def test_logarithms_are_within_their_bound(narrow: bool) -> None:
    level, width, error = measured()[0].T
    chosen = (level >= LEVEL_MIN) & ((width < 1) == narrow)
    assert chosen.sum() > 1000
    bound = EVEN + (NARROW_NOISE if narrow else NOISE) / level[chosen]
    assert (np.abs(error[chosen]) <= bound).all(), (np.abs(error[chosen]) / bound).max()
    assert (np.abs(error[chosen]) / bound).max() > 0.3  # the bound is not idle


def test_cepstra_are_within_their_bound_at_usable_level() -> None:
    lowest, first, others, _ = measured()[1].T
    usable = lowest >= USABLE
    assert usable.sum() > 400
    assert first[usable].max() <= FIRST
    assert others[usable].max() <= OTHERS
    assert np.median(others[usable]) <= OTHERS / 10


def test_no_cepstrum_is_further_off_than_its_logarithms_explain() -> None:
    _, _, others, bound = measured()[1].T
    assert (others <= bound).all(), (others / bound).max()
    assert (others / bound).max() > 0.3  # the bound is not idle


def test_near_silence_the_bound_does_not_hold() -> None:
    """As docs/front_end.md says: a sound of a few steps leaves filters at the FFT's own noise."""
    rng = np.random.default_rng(1)
    samples = rng.integers(-1, 2, (20, 400)).astype(np.int16)
    code, expected = code_of(Config()), mfcc_float.mfcc(Config(), samples)
    error = np.array([code(window) for window in samples]) - expected
    assert np.abs(error[:, 0]).max() > 10 * FIRST


def test_silence_is_exact() -> None:
    silence = np.zeros((1, 400), np.int16)
    cepstra = code_of(Config())(silence[0])
    assert cepstra[0] == 45443
    assert np.abs(cepstra - mfcc_float.mfcc(Config(), silence)[0]).max() < 100


def test_recordings_that_pass_the_gate() -> None:
    """Medians of what docs/front_end.md says of real sound; most of its windows have filters below USABLE."""
    files = sorted(shared("audio/smart_lock/wav_flac").iterdir())[::8]
    code = code_of(Config())
    first: list[float] = []
    others: list[float] = []
    for file in files:
        samples, _ = soundfile.read(file, dtype="int16", frames=40 * 400)
        windows = samples[: len(samples) // 400 * 400].reshape(-1, 400)
        windows = windows[np.abs(windows.astype(np.int32)).max(axis=1) > 600]
        expected = mfcc_float.mfcc(Config(), windows)
        found = np.array([code(window) for window in windows]).reshape(-1, 20)
        error = np.abs(found - expected) / mfcc_float.lifter(Config())
        first += error[:, 0].tolist()
        others += error[:, 1:].max(axis=1).tolist()
    assert len(first) > 300
    assert np.median(first) < 400
    assert np.median(others) < 400
