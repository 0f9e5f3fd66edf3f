# SPDX-License-Identifier: Apache-2.0
"""Tables against definitions to 26 digits, their limits, and that a changed bit in any is noticed."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.app.spec import Audio, Mfcc, Rounding, Window
from codegen.app.tables import MfccTables, check_mfcc, mfcc_scratch_bytes, mfcc_tables
from codegen.app.tables.quantize import quantize_table
from codegen.common.errors import UserError
from tests.reference.mfcc_integer import Config, IntegerMfcc
from tests.support.mfcc_configs import configs, spec_of

AUDIO, WINDOW, ALL = Audio(), Window(), Mfcc(cepstra=23)


@lru_cache(maxsize=1)
def default_tables() -> MfccTables:
    return mfcc_tables(AUDIO, WINDOW, ALL)


# Equality with the definitions


def compare(config: Config) -> None:
    made, model = mfcc_tables(*spec_of(config)), IntegerMfcc(config)
    assert made.preemphasis == math.floor(Fraction(config.preemphasis) * 32768)
    assert list(made.window) == model.povey
    compare_twiddles(made, model, config.fft)
    bank = [list(weights.items()) for weights in model.mel]
    assert [made.bank.of_filter(i) for i in range(config.filters)] == [
        tuple(weight for _, weight in f) for f in bank
    ]
    assert list(made.bank.firsts) == [f[0][0] for f in bank]
    assert list(made.bank.counts) == [len(f) for f in bank]
    assert list(made.log2) == model.log2
    assert list(made.log_add) == model.log_add
    half = (config.filters + 1) // 2
    assert [list(row) for row in made.dct.cosines] == [row[:half] for row in model.cosines[1:]]
    for k, row in enumerate(model.cosines):
        mirrored = [value if k % 2 == 0 else -value for value in row[::-1]]
        assert row == mirrored  # the half that the C leaves away
    assert (made.dct.first, made.dct.other) == model.dct_factors
    assert list(made.lifter) == model.lifter


def compare_twiddles(made: MfccTables, model: IntegerMfcc, fft: int) -> None:
    """Every butterfly's factor, named by its stage and place, in the order the C takes them."""
    c, s = model.twiddle_cos, model.twiddle_sin
    points = fft // 2
    bits = points.bit_length() - 1

    def factor(stage: int, j: int) -> tuple[int, int]:  # of the butterflies 2^stage apart
        index = j * points >> stage
        return c[index], -s[index]

    expected = []
    stage = 2
    while stage + 1 < bits:
        for j in range(1 << stage):
            expected += [factor(stage, j), factor(stage + 1, j), factor(stage + 1, j + (1 << stage))]
        stage += 2
    if stage < bits:
        expected += [factor(stage, j) for j in range(1 << stage)]
    assert list(zip(made.twiddles.stages[::2], made.twiddles.stages[1::2], strict=True)) == expected
    split = [(-s[k], -c[k]) for k in range(1, points // 2)]
    assert list(zip(made.twiddles.split[::2], made.twiddles.split[1::2], strict=True)) == split


def test_the_tutorial_s_tables() -> None:
    compare(Config(cepstra=23))


@pytest.mark.parametrize("fft", [128, 256, 512, 1024, 2048, 4096])
def test_tables_of_every_fft(fft: int) -> None:
    compare(Config(sample_rate=44100, window=fft - 1, fft=fft, filters=12, cepstra=12, high_hz=22050))


@settings(max_examples=15, deadline=None)
@given(configs())
def test_tables_of_any_settings(config: Config) -> None:
    compare(config)


def test_the_mel_weights_that_float64_would_move() -> None:
    bank = default_tables().bank
    assert len(bank.weights) == 480
    assert (bank.weights[134], bank.weights[144], bank.weights[453]) == (1707, 2389, 4025)
    assert bank.firsts == (
        *(1, 4, 6, 10, 13, 17, 21, 26, 31, 37, 43, 50, 58, 67, 77, 87),
        *(99, 113, 127, 144, 162, 182, 204),
    )
    assert bank.counts == (
        *(5, 6, 7, 7, 8, 9, 10, 11, 12, 13, 15, 17, 19, 20, 22, 26),
        *(28, 31, 35, 38, 42, 47, 52),
    )


def test_constants_of_23_filters() -> None:
    made = default_tables()
    assert (made.dct.first, made.dct.other, made.preemphasis) == (427, 604, 31784)
    assert made.energy_offset == 190131
    assert len(made.log_add) == 1598
    assert made.log_add[-2] == 1
    assert made.log_add[-1] == 0
    assert mfcc_scratch_bytes(ALL) == 2048


def test_every_number_fits_its_type() -> None:
    """The types of the generated C, at the ends of what settings can reach."""
    for mfcc in (Mfcc(lifter=1000, cepstra=23), Mfcc(lifter=0.001, cepstra=23), Mfcc(preemphasis=1)):
        made = mfcc_tables(AUDIO, WINDOW, mfcc)
        assert max(map(abs, made.window)) < 2**15
        assert max(map(abs, made.twiddles.stages + made.twiddles.split)) < 2**15
        assert max(made.bank.weights) <= 4096
        assert min(made.bank.weights) >= 0
        assert max(made.log_add) < 2**8
        assert max(map(abs, made.lifter)) < 2**22
        assert 0 <= made.preemphasis <= 2**15


def test_no_sum_of_the_dct_leaves_its_type() -> None:
    """What firmware/pipeline/mfcc_cepstrum.c argues, for every number of filters."""
    largest, floor = 181667, 49125
    for filters in range(1, 129):
        first, other = (round(2048 / math.sqrt(filters)), round(2048 * math.sqrt(2 / filters)))
        assert (filters * largest >> 1) * first < 2**31
        for k in {1, 2, 3, filters // 2, filters - 1} - {0}:
            if k >= filters:
                continue
            row = np.round(2048 * np.cos(np.pi * k * (np.arange(filters) + 0.5) / filters))
            worst = np.where(row > 0, largest >> 1, floor >> 1) @ row
            reached = abs(worst / 2048 * other)
            assert reached < 2**31
            assert abs(worst) / 2048 <= 23500 * filters
            assert reached / 1024 * (1 + 500) < 2**31  # after the longest lifter


# Limits


def test_a_filter_between_two_bins_is_refused_with_a_number_that_fits() -> None:
    with pytest.raises(UserError, match="filter 1 of 40 lies between two bins of the FFT") as caught:
        check_mfcc(Audio(48000), Mfcc(filters=40, fft=256))
    assert caught.value.place == "[mfcc] filters"
    assert caught.value.remedy is not None
    number = int(caught.value.remedy.split("filters = ")[1].split(",")[0])
    check_mfcc(Audio(48000), Mfcc(filters=number, fft=256))
    with pytest.raises(UserError):
        check_mfcc(Audio(48000), Mfcc(filters=number + 1, fft=256))
    assert "a larger fft" in caught.value.remedy


def test_more_filters_than_bins_are_refused() -> None:
    with pytest.raises(UserError, match="at most fft / 2 = 64 are allowed"):
        check_mfcc(Audio(), Mfcc(filters=65, fft=128))


def test_a_filter_too_small_for_its_12_bits_is_refused() -> None:
    """A triangle that one bin touches with less than 1 / 8192 has weight 0: as deaf as one without bins."""
    for high in np.linspace(4000.0, 4001.0, 400):
        mfcc = Mfcc(cepstra=1, filters=1, fft=128, low_hz=3900.0, high_hz=float(high))
        weights = mfcc_tables(AUDIO, WINDOW, mfcc).bank.weights
        if any(weights):
            check_mfcc(AUDIO, mfcc)
        else:
            with pytest.raises(UserError, match="hears nothing"):
                check_mfcc(AUDIO, mfcc)


def test_of_the_largest_fft_no_larger_one_is_advised() -> None:
    with pytest.raises(UserError) as caught:
        check_mfcc(Audio(48000), Mfcc(filters=128, fft=4096, low_hz=20, high_hz=500))
    assert caught.value.remedy is not None
    assert "larger fft" not in caught.value.remedy


# Features into int8


def test_quantization_of_the_reference_device() -> None:
    """sat8(trunc((u - 127) / s) + z), by float64 division: exact enough where it is not near an integer."""
    scale, zero_point = float(np.float32(0.9960784)), -1
    table = quantize_table(127, scale, zero_point, Rounding.ZERO)
    quotients = (np.arange(256) - 127) / scale
    assert np.abs(quotients - np.round(quotients))[1:126].min() > 1e-6
    assert list(table) == np.clip(np.trunc(quotients) + zero_point, -128, 127).astype(int).tolist()


def test_known_numbers() -> None:
    assert quantize_table(0, 1.0, -128, Rounding.NEAREST) == tuple(range(-128, 128))
    assert quantize_table(0, 1.0, -128, Rounding.ZERO) == tuple(range(-128, 128))
    halves = quantize_table(128, 2.0, 0, Rounding.NEAREST)  # -1.5, -1, -0.5, 0, 0.5, 1, 1.5
    assert halves[125:132] == (-2, -1, -1, 0, 1, 1, 2)
    assert quantize_table(128, 2.0, 0, Rounding.ZERO)[125:132] == (-1, -1, 0, 0, 0, 1, 1)
    assert set(quantize_table(0, 2.0**-10, 0, Rounding.NEAREST)) == {0, 127}


@pytest.mark.parametrize("offset", [0, 127])
def test_without_rounding_a_feature_is_the_byte(offset: int) -> None:
    found = quantize_table(offset, 0.0037, 5, Rounding.NONE)
    assert found[offset:] == tuple(range(-128, 128 - offset))
    assert set(found[:offset]) <= {-128}


@settings(deadline=None)
@given(
    st.integers(0, 255),
    st.floats(2.0**-20, 2.0**10, width=32),
    st.integers(-128, 127),
    st.sampled_from([Rounding.NEAREST, Rounding.ZERO]),
)
def test_any_quantization_is_the_rounded_exact_quotient(
    offset: int, scale: float, zero_point: int, rounding: Rounding
) -> None:
    for u, q in enumerate(quantize_table(offset, scale, zero_point, rounding)):
        exact = (u - offset) / Fraction(scale) + zero_point
        if q == 127:
            assert exact >= 126
        elif q == -128:
            assert exact <= -127
        elif rounding is Rounding.ZERO:
            assert abs(exact - q) < 1
            assert abs(q - zero_point) <= abs(exact - zero_point)
        else:
            assert abs(exact - q) <= Fraction(1, 2)
            if abs(exact - q) == Fraction(1, 2):
                assert abs(q - zero_point) > abs(exact - zero_point)
