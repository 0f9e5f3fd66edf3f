# SPDX-License-Identifier: Apache-2.0
"""The MFCC stage against an independent model in Python's integers, any settings, the worst windows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.mfcc_integer import Config, IntegerMfcc
from tests.support.mfcc_configs import adversarial, code_of, configs
from tests.support.pipeline_c import unpacked
from tests.support.shared import shared
from workbench.audio import synthesize


@lru_cache(maxsize=1)
def default_model() -> IntegerMfcc:
    return IntegerMfcc(Config())


def compare(config: Config, windows: list[list[int]], model: IntegerMfcc | None = None) -> None:
    """Stage by stage, then the whole."""
    model = model or IntegerMfcc(config)
    code = code_of(config)
    for samples in windows:
        expected = model.stages(samples)
        values, peak = code.windowed(samples)
        shift = code.normalised(values, peak)
        assert (peak, shift) == (expected.peak, expected.shift)
        assert unpacked(values) == expected.fft_input
        bins = code.spectrum(values)
        assert unpacked(bins) == [part for value in expected.fft_output for part in value]
        log_mel = code.log_mel(bins, shift)
        assert log_mel.tolist() == expected.log_mel
        dct = code.dct(log_mel)
        assert dct.tolist() == expected.dct
        assert code.lifted(dct).tolist() == expected.liftered
        assert code(samples) == expected.mfcc


def test_the_model_equals_the_reference_system() -> None:
    """The model itself, against the same vectors as the C."""
    model = IntegerMfcc(Config(cepstra=23))
    with np.load(shared("vectors/mfcc/frames.npz")) as file:
        frames, expected = file["frames"], file["mfcc23"]
    for samples, cepstra in zip(frames, expected, strict=True):
        assert model.stages(samples.tolist()).mfcc == cepstra.tolist()


@settings(max_examples=25, deadline=None)
@given(configs(), st.integers(0, 2**32 - 1))
def test_any_settings_on_the_worst_windows(config: Config, seed: int) -> None:
    windows = adversarial(config.window, seed)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(windows), 4, replace=False)
    compare(config, [windows[index] for index in chosen])


@pytest.mark.parametrize("seed", range(6))
def test_default_settings_on_the_worst_windows(seed: int) -> None:
    compare(Config(), adversarial(400, seed), default_model())


@pytest.mark.parametrize("fft", [128, 256, 512, 1024, 2048, 4096])
def test_every_fft_on_the_worst_windows(fft: int) -> None:
    compare(Config(window=fft, fft=fft, filters=13, cepstra=13, preemphasis=0), adversarial(fft, fft))


def test_sums_that_leave_int16_wrap_alike() -> None:
    """Pairs of full scale turning in step with one bin reach 1.27 times full scale there: no window does."""
    code, model = code_of(Config()), default_model()
    for bin_, phase in [(1, 0.0), (5, 0.3), (37, 1.5), (64, 0.8), (128, 3.0), (200, 2.2), (255, 5.0)]:
        angle = 2 * np.pi * bin_ * np.arange(256) / 256 + phase
        pairs = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        values = np.where(pairs >= 0, 32767, -32768)
        complex_ = values[:, 0] + 1j * values[:, 1]
        assert np.abs(np.fft.fft(complex_)).max() / 256 > 40000
        words = values.astype("<i2").reshape(-1).view("<u4").astype(np.uint32)
        expected = [part for value in model.spectrum(values.reshape(-1).tolist()) for part in value]
        assert unpacked(code.spectrum(words)) == expected


def test_energies_beyond_64_bits_wrap_alike() -> None:
    """The largest power a bin can show in every bin, which Parseval's theorem forbids."""
    code, model = code_of(Config()), default_model()
    spectrum = np.full(256, 0x80008000, np.uint32)
    for shift in range(7):
        power = (2**31 << (2 * (15 - shift))) >> 10
        sums = [power * sum(weights.values()) for weights in model.mel]
        assert (max(sums) >= 2**64) is (shift <= 1)
        halves = [divmod(energy % 2**64, 2**32) for energy in sums]
        expected = [model.log_sum(model.log_q(high) + 90852, model.log_q(low)) for high, low in halves]
        assert code.log_mel(spectrum, shift).tolist() == [max(49125, value) for value in expected]


@pytest.mark.parametrize(
    "name", ["knocking__fs103995a.flac", "keyboard_typing__fs109316a.flac", "mouse_click__fs118206a.flac"]
)
def test_recordings(name: str) -> None:
    path = shared(f"audio/smart_lock/wav_flac/{name}")
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    windows = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    loudest = np.argsort(-np.abs(windows.astype(np.int32)).max(axis=1))
    compare(Config(), [windows[index].tolist() for index in loudest[:30]], default_model())


@pytest.mark.parametrize("label", ["knocking", "keyboard_typing", "mouse_click"])
def test_synthetic_events(label: str) -> None:
    samples = synthesize.events(label, 2, seed=1).samples
    windows = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    compare(Config(), [window.tolist() for window in windows[::6]], default_model())
