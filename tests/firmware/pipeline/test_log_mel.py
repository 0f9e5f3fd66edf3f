# SPDX-License-Identifier: Apache-2.0
"""Log mel energies against the definitions of Kaldi, librosa and MLPerf Tiny in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.presets import LOG_MEL_PRESETS
from codegen.app.spec import Audio, Cascade, LogMel, Window
from codegen.app.tables.log_mel import check_log_mel
from codegen.common.errors import UserError
from tests.reference.log_mel import log_mel
from tests.support.apps import App
from tests.support.log_mel_c import LogMelFrames
from tests.support.pipeline_toml import CLASSIFIER, DECISION, the_fault
from workbench.host.features import extract
from workbench.host.host_library import HostLibrary

SPANS = {"db": 80.0, "natural": 18.4, "log2": 26.6}  # what becomes 0..255: 80 dB in each unit
SETTINGS = 16


def sounds(random: np.random.Generator, count: int) -> Iterator[NDArray[np.int16]]:
    """Noise, tones alone and above noise, clicks, rails, squares, silence, single steps."""
    n = np.arange(count)
    loud = 10 ** random.uniform(0.5, 4.5, 3)
    for sound in (
        random.normal(0, loud[0] / 3, count),
        loud[1] * np.sin(n * random.uniform(0.001, 3.1)),
        20000 * np.sin(n * random.uniform(0.01, 3)) + random.normal(0, 3, count),
        np.where(n % random.integers(50, 3000) == 0, loud[2], 0),
        np.where(random.integers(0, 2, count // 7 + 1).repeat(7)[:count] > 0, 32767, -32768),
        np.where(n // random.integers(1, 80) % 2, 32767, -32768),
        np.zeros(count),
        random.integers(-1, 2, count),
    ):
        yield np.rint(sound).clip(-32768, 32767).astype(np.int16)


def any_settings(random: np.random.Generator) -> tuple[Audio, Window, LogMel]:
    """All keys in their ranges, with as many filters as hear something."""
    rate, size = int(random.choice([8000, 16000, 22050, 44100, 48000])), int(random.integers(64, 4097))
    window = Window(size, int(random.integers(1, 2 * size)))
    cut = 1 << size.bit_length() - 1  # an FFT that the window does not fit
    mel = LogMel(
        filters=int(random.integers(1, 129)),
        fft=int(random.choice([0, 0, 0, cut])),
        window=str(random.choice(["hann", "hamming", "povey", "none"])),
        periodic=bool(random.integers(2)),
        preemphasis=float(random.choice([0, 0.97, 0.96875, 1])),
        carried=bool(random.integers(2)) and window.stride <= size,
        full_scale=int(random.choice([1, 32768])),
        spectrum=str(random.choice(["power", "magnitude"])),
        per_sample=bool(random.integers(2)),
        scale=str(random.choice(["slaney", "htk", "kaldi"])),
        norm=str(random.choice(["none", "slaney"])),
        low_hz=float(random.choice([0, 20, 125])),
        high_hz=rate * float(random.choice([0.5, 0.45])),
        log=str(random.choice(list(SPANS))),
        offset=float(random.choice([0, 1e-6, 1e-3, 1])),
        floor=float(random.choice([1e-10, 1e-6, 1e-18])),
    )
    while mel.filters > 1:
        try:
            check_log_mel(Audio(rate), window, mel)
            break
        except UserError:
            mel = replace(mel, filters=mel.filters * 3 // 4)
    return Audio(rate), window, mel


def features(logarithms: NDArray[np.float64], low: float, high: float) -> NDArray[np.int64]:
    """floor(255 (x - low) / (high - low)), clamped."""
    return np.floor(255 * (logarithms - low) / (high - low)).clip(0, 255).astype(np.int64)


def test_any_settings_are_a_step_from_floating_point_at_most() -> None:
    """At least 99.9 % of all features are equal, the others one step apart."""
    values, differing = 0, 0
    for seed in range(SETTINGS):
        random = np.random.default_rng(seed)
        audio, window, mel = any_settings(random)
        front_end = LogMelFrames(audio, window, mel)
        for sound in sounds(random, window.size + 5 * window.stride):
            expected = log_mel(audio.sample_rate, window, front_end.fft, mel, sound)
            low = expected.max() - SPANS[mel.log] + random.uniform(0, 1)
            found = features(front_end(sound) / 65536, low, low + SPANS[mel.log])
            apart = np.abs(found - features(expected, low, low + SPANS[mel.log]))
            assert apart.max() <= 1, (seed, mel)
            values, differing = values + apart.size, differing + int(np.count_nonzero(apart))
    assert values > 40_000
    assert differing <= values / 1000


@pytest.mark.parametrize("preset", LOG_MEL_PRESETS)
def test_an_app_hears_as_its_preset_says(preset: str, tmp_path: Path) -> None:
    """From samples to 0..255, through the generated C."""
    made = LOG_MEL_PRESETS[preset]
    mel, window = made.front_end, made.window(16000)
    app = App(window=window, other=mel, scale=made.scale, cascade=Cascade(2))
    pipeline = HostLibrary(app.build(tmp_path), app.spec).pipeline
    assert pipeline is not None
    random = np.random.default_rng(1)
    sound = np.concatenate(list(sounds(random, 2 * window.size)))
    expected = log_mel(16000, window, 1024, mel, sound)
    wanted = features(expected, made.scale.minimum / 65536, made.scale.maximum / 65536)
    found = extract(pipeline, sound).scaled
    assert np.abs(found - wanted).max() <= 1
    assert np.count_nonzero(found != wanted) <= wanted.size / 1000
    assert len(np.unique(found)) > 100
    assert np.array_equal(extract(pipeline, sound).scaled, found), "a reset forgets the sample before"


@pytest.mark.parametrize(
    ("section", "key", "what"),
    [
        (
            "[log_mel]\ncarried = true\n[window]\nstride = 2000\n",
            "carried",
            "the sample before a window is of a gap",
        ),
        ("[log_mel]\nfft = 256\n", "filters", "62.5 Hz apart, and hears nothing"),
        ("[log_mel]\nhigh_hz = 9000\n", "high_hz", "reaches to half its sample rate"),
        ("[log_mel]\nscale = 'slany'\n", "scale", 'found "slany"'),
        ("[log_mel]\npreset = 'libros'\n", "preset", 'found "libros"'),
        ("[log_mel]\n[scale]\nformula = 'micro_speech'\n", "formula", "for the values of [micro_frontend]"),
    ],
)
def test_what_makes_no_front_end_is_told(section: str, key: str, what: str, tmp_path: Path) -> None:
    fault = the_fault(tmp_path, section + CLASSIFIER + DECISION)
    assert (fault.place or "").endswith(key)
    assert what in fault.what
    assert fault.remedy
