# SPDX-License-Identifier: Apache-2.0
"""The MFCC stage against the reference system's vectors, step by step."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Audio, Mfcc, Window
from codegen.app.tables import mfcc_tables
from tests.support.pipeline_c import MfccStages, unpacked
from tests.support.shared import shared

FRAMES = 33
ALL = Mfcc(cepstra=23)


@lru_cache(maxsize=1)
def vectors() -> dict[str, NDArray[np.generic]]:
    with np.load(shared("vectors/mfcc/frames.npz")) as file:
        return dict(file)


def row(key: str, index: int) -> list[int]:
    return [int(value) for value in vectors()[key][index]]


@lru_cache(maxsize=1)
def tutorial() -> MfccStages:
    return MfccStages(mfcc=ALL)


@pytest.mark.parametrize("index", range(FRAMES))
def test_every_stage_equals_the_reference_system(index: int) -> None:
    stages = tutorial()
    values, peak = stages.windowed(row("frames", index))
    shift = stages.normalised(values, peak)
    assert [peak, shift, 9, 15 - shift] == row("shifts", index)
    assert unpacked(values) == row("fft_input", index)
    bins = stages.spectrum(values)
    assert unpacked(bins) == row("fft_output", index)
    log_mel = stages.log_mel(bins, shift)
    assert log_mel.tolist() == row("log_mel_q12", index)
    dct = stages.dct(log_mel)
    assert dct.tolist() == row("dct", index)
    assert stages.lifted(dct).tolist() == row("liftered", index)


@pytest.mark.parametrize("index", range(FRAMES))
def test_cepstra_equal_the_reference_system(index: int) -> None:
    assert tutorial()(row("frames", index)) == row("mfcc23", index)


@pytest.mark.parametrize("index", range(FRAMES))
def test_pre_emphasis_equals_the_reference_system(index: int) -> None:
    """A window of 2^14 in Q14 leaves what pre-emphasis made."""
    audio, window = Audio(), Window()
    flat = dataclasses.replace(mfcc_tables(audio, window, ALL), window=(16384,) * 400)
    values, _ = MfccStages(audio, window, ALL, tables=flat).windowed(row("frames", index))
    assert unpacked(values)[:400] == row("preemphasis", index)[:400]


@pytest.mark.parametrize("cepstra", [1, 2, 13, 20])
def test_fewer_cepstra_are_the_first_ones(cepstra: int) -> None:
    stages = MfccStages(mfcc=Mfcc(cepstra=cepstra))
    for index in range(FRAMES):
        assert stages(row("frames", index)) == row("mfcc23", index)[:cepstra]
