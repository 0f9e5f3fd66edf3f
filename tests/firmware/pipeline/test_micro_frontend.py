# SPDX-License-Identifier: Apache-2.0
"""The front end of TensorFlow Lite Micro against its publisher's package, a model in integers, its tables."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.app.presets import PRESETS
from codegen.app.spec import Audio, MicroFrontend, Window
from codegen.app.tables.micro_frontend import check_micro_frontend, micro_frontend_tables
from codegen.common.errors import UserError
from tests.reference.micro_frontend import IntegerFrontend
from tests.reference.micro_frontend_tables import Tables
from tests.support.micro_frontend_c import Frontend
from tests.support.publisher import publisher, require_its_logarithm

WAKE_WORD = PRESETS["micro_wake_word"]
RATE = 16000


def speech(seconds: int, seed: int) -> NDArray[np.int16]:
    """Like speech: voiced and unvoiced stretches, formants that move, pauses; from a whisper to clipping."""
    rng = np.random.default_rng(seed)
    time = np.arange(seconds * RATE) / RATE
    pitch = 110 + 60 * np.sin(2 * np.pi * 0.3 * time) + 20 * rng.standard_normal(1)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = np.sum([np.sin(phase * k) / k for k in range(1, 30)], axis=0)
    formants = 1 + 0.9 * np.sin(2 * np.pi * np.cumsum(300 + 200 * np.sin(5 * time)) / RATE)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time + rng.uniform(0, 6)), 0, 1) ** 2
    loudness = 10 ** (rng.uniform(0.5, 4.6, seconds).repeat(RATE))
    hiss = 0.1 * rng.standard_normal(len(time))
    sound = (voice * formants * syllables + hiss) * loudness / 4
    clipped: NDArray[np.int16] = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return clipped


def edges() -> NDArray[np.int16]:
    """Silence, full scale of every kind, single steps, clicks."""
    n = np.arange(RATE)
    parts = [
        np.zeros(RATE),
        np.full(RATE, -32768),
        np.full(RATE, 32767),
        *(np.where(n // half % 2, 32767, -32768) for half in (1, 2, 3, 7, 50)),
        np.where(n % 997 == 0, 32767, 0),
        np.where(n % 2, -1, 0),
        np.random.default_rng(2).integers(-2, 3, RATE),
        32767 * np.sin(2 * np.pi * (n / 4 + 0.125)),
        np.zeros(RATE),
    ]
    return np.concatenate(parts).astype(np.int16)


SIGNALS = {
    "speech": lambda: speech(20, 1),
    "noise": lambda: np.random.default_rng(5).integers(-32768, 32768, 5 * RATE).astype(np.int16),
    "edges": edges,
}


@pytest.mark.parametrize("name", SIGNALS)
def test_every_value_equals_the_publishers(name: str) -> None:
    samples = SIGNALS[name]()
    expected = publisher(samples)
    require_its_logarithm()
    values = Frontend(Audio(), WAKE_WORD.window(RATE), WAKE_WORD.front_end)(samples)
    assert values.shape == expected.shape
    assert np.count_nonzero(values != expected) == 0
    assert len(np.unique(values)) > 100


shares = st.floats(0, 1, width=32)
frontends = st.builds(
    MicroFrontend,
    filters=st.integers(1, 40),
    low_hz=st.sampled_from([0.0, 20.0, 125.0, 300.5]),
    high_hz=st.sampled_from([2000.0, 3500.0, 3900.0]),
    smoothing_bits=st.integers(0, 15),
    tables=st.sampled_from(["c", "signal"]),
    even_smoothing=shares,
    odd_smoothing=shares,
    min_signal_remaining=shares,
    pcan=st.booleans(),
    pcan_strength=st.sampled_from([0.5, 0.95, 1.5]),
    pcan_offset=st.sampled_from([1.0, 80.0, 1000.0]),
    pcan_gain_bits=st.integers(12, 28),
    log=st.booleans(),
    log_shift=st.integers(0, 16),
)


@settings(max_examples=60)
@given(
    frontends,
    st.sampled_from([33, 64, 65, 200, 255, 256, 480, 600]),
    st.sampled_from([8000, 16000, 44100]),
    st.sampled_from(["noise", "square", "quiet", "tone"]),
    st.integers(0, 2**32 - 1),
)
def test_any_settings_equal_a_model_in_integers(
    frontend: MicroFrontend, size: int, rate: int, kind: str, seed: int
) -> None:
    audio, window = Audio(rate), Window(size, size)
    tables = Tables(rate, size, frontend)
    if tables.impossible:
        with pytest.raises(UserError):
            check_micro_frontend(audio, window, frontend)
        return
    check_micro_frontend(audio, window, frontend)
    rng, n = np.random.default_rng(seed), np.arange(4 * size)
    samples = {
        "noise": rng.integers(-32768, 32768, len(n)),
        "square": np.where(n // (1 + seed % 9) % 2, 32767, -32768),
        "quiet": rng.integers(-3, 4, len(n)),
        "tone": np.rint(rng.uniform(1, 32767) * np.sin(n * rng.uniform(0, np.pi))),
    }[kind].astype(np.int16)
    model = IntegerFrontend(tables)
    expected = [model(samples[i * size : (i + 1) * size].tolist()) for i in range(4)]
    assert Frontend(audio, window, frontend)(samples).tolist() == expected


def test_a_reset_forgets_the_noise() -> None:
    frontend = Frontend(Audio(), WAKE_WORD.window(RATE), WAKE_WORD.front_end)
    samples = speech(1, 3)
    first, second = frontend(samples), frontend(samples)
    assert not np.array_equal(first, second)
    frontend.reset()
    assert np.array_equal(frontend(samples), first)


# CRC-32 of window, falling and rising weights in turn, and gains without their gaps, each int16 little
# endian, as tensorflow/lite/experimental/microfrontend makes them on a computer.
TABLES = {
    (16000, 30, 40, 125.0, 7500.0, 0.95, 80.0, 21): (1819639892, 3889995447, 4205873867),
    (16000, 25, 32, 125.0, 7500.0, 0.95, 80.0, 21): (1655608522, 35590185, 4205873867),
    (48000, 40, 64, 60.0, 16000.0, 0.5, 200.0, 18): (3882667083, 4182090069, 3026952481),
}


@pytest.mark.parametrize("key", TABLES)
def test_tables_are_the_publishers(key: tuple[int, int, int, float, float, float, float, int]) -> None:
    rate, size_ms, filters, low, high, strength, offset, bits = key
    frontend = MicroFrontend(
        filters=filters,
        low_hz=low,
        high_hz=high,
        pcan=True,
        pcan_strength=strength,
        pcan_offset=offset,
        pcan_gain_bits=bits,
    )
    size = size_ms * rate // 1000
    made = micro_frontend_tables(Audio(rate), Window(size, size), frontend)
    gains = [gain for i, gain in enumerate(made.gains) if i < 2 or (i - 2) % 4 != 3]
    found = tuple(zlib.crc32(np.array(table, "<i2").tobytes()) for table in (made.window, made.bank, gains))
    assert found == TABLES[key]


def test_what_makes_no_front_end_is_told() -> None:
    speech_settings, window = WAKE_WORD.front_end, WAKE_WORD.window(RATE)
    cases = (
        (replace(speech_settings, filters=128), window, "filters", "hears nothing"),
        (replace(speech_settings, high_hz=8000.0), window, "high_hz", "the last bin"),
        (replace(speech_settings, pcan_gain_bits=12), window, "pcan_gain_bits", "512 points"),
        (replace(speech_settings, smoothing_bits=2), window, "smoothing_bits", "512 points"),
        (speech_settings, Window(20, 20), "size", "33..4096"),
    )
    for frontend, heard, key, what in cases:
        with pytest.raises(UserError, match=what) as told:
            check_micro_frontend(Audio(), heard, frontend)
        assert (told.value.place or "").endswith(key)
        assert told.value.remedy
