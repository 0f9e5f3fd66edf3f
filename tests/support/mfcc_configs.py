# SPDX-License-Identifier: Apache-2.0
"""Random settings of the MFCC, and the same in the code's dataclasses and in the reference models'."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from codegen.app.spec import Audio, Mfcc, Window
from codegen.app.tables import check_mfcc
from codegen.common.errors import UserError
from tests.reference.mfcc_integer import Config
from tests.support.pipeline_c import MfccStages


def spec_of(config: Config) -> tuple[Audio, Window, Mfcc]:
    """The settings as codegen takes them."""
    window = Window(config.window, config.window)
    mfcc = Mfcc(
        config.cepstra,
        config.filters,
        config.fft,
        config.low_hz,
        config.high_hz,
        config.lifter,
        config.preemphasis,
    )
    return Audio(config.sample_rate), window, mfcc


def code_of(config: Config) -> MfccStages:
    """The C of these settings."""
    return MfccStages(*spec_of(config))


def fitting(config: Config) -> Config:
    """The same with so few filters that each has a weight."""
    while True:
        audio, _, mfcc = spec_of(config)
        try:
            check_mfcc(audio, mfcc)
        except UserError:
            filters = config.filters * 3 // 4
            config = dataclasses.replace(config, filters=filters, cepstra=min(filters, config.cepstra))
        else:
            return config


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Every setting within its range, as pipeline.toml allows it."""
    rate = draw(st.one_of(st.sampled_from([8000, 16000, 44100, 48000]), st.integers(8000, 48000)))
    fft = draw(st.sampled_from([128, 256, 512, 1024, 2048, 4096]))
    filters = draw(st.integers(1, min(128, fft // 2)))
    high = draw(st.floats(rate / 8, rate / 2, width=32))
    return fitting(
        Config(
            sample_rate=rate,
            window=draw(st.one_of(st.just(fft), st.integers(2, fft))),
            fft=fft,
            filters=filters,
            cepstra=draw(st.integers(1, filters)),
            low_hz=draw(st.floats(0, high / 2, width=32)),
            high_hz=high,
            lifter=draw(st.one_of(st.just(0.0), st.just(22.0), st.floats(0.5, 1000))),
            preemphasis=draw(st.one_of(st.sampled_from([0.0, 0.97, 1.0]), st.floats(0, 1))),
        )
    )


def adversarial(size: int, seed: int) -> list[list[int]]:
    """Windows at the ends of int16: silence, constants, squares, impulses, noise of any level, extremes."""
    rng = np.random.default_rng(seed)
    low, high = -32768, 32767
    index = np.arange(size)
    windows = [np.zeros(size), np.full(size, low), np.full(size, high), np.where(index % 2, low, high)]
    period = int(rng.integers(1, size + 1))
    windows.append(np.where(index // period % 2, low, high))
    for value in (1, -1, low, high):
        impulse = np.zeros(size)
        impulse[int(rng.integers(size))] = value
        windows.append(impulse)
    windows.append(rng.choice([low, high], size))
    windows.append(rng.choice([low, 0, high], size))
    for exponent in (1, 4, 8, 12, 15):
        windows.append(rng.integers(-(2**exponent), 2**exponent, size))
    frequency = rng.uniform(0, 0.5)
    windows.append(np.round(32767 * np.cos(2 * np.pi * frequency * index + rng.uniform(0, 7))))
    return [[int(value) for value in window] for window in windows]
