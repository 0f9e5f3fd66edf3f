"""Tables against definitions to 26 digits, their limits, and that a changed bit in any is noticed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.errors import UserError
from codegen.spec import Audio, Mfcc, Rounding, Scale, Window
from codegen.tables import MfccTables, check_mfcc, mfcc_scratch_bytes, mfcc_tables
from codegen.tables.mel import MelBank
from codegen.tables.quantize import quantize_table
from codegen.tables.scale import scale_multiplier
from tests.reference.mfcc_integer import Config, IntegerMfcc
from tests.support.mfcc_configs import configs, spec_of
from tests.support.pipeline_c import MfccStages, scaled

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


@pytest.mark.parametrize("fft", [128, 256, 512, 1024])
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


def test_the_largest_fft_is_told_no_larger_one() -> None:
    with pytest.raises(UserError) as caught:
        check_mfcc(Audio(48000), Mfcc(filters=128, fft=1024, low_hz=20, high_hz=2000))
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


@settings(deadline=None)
@given(
    st.integers(0, 255),
    st.floats(2.0**-20, 2.0**10, width=32),
    st.integers(-128, 127),
    st.sampled_from(Rounding),
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


# One bit: the C with one bit of one entry of a table changed gives another result than with the right table,
# on material that reaches the entry. The lowest bit is the smallest fault there is; where it cannot matter
# (32766 for 32767 times a half of int16, 1 for 0 in a logarithm of steps of 44) the third one is changed.

Int16s = NDArray[np.int16]
Words = NDArray[np.uint32]


def noise(count: int) -> list[Int16s]:
    rng = np.random.default_rng(9)
    return [rng.integers(-32768, 32768, 400).astype(np.int16) for _ in range(count)]


def tones(bins: Iterable[int]) -> list[Int16s]:
    """512 samples each, at full scale on a bin of the FFT."""
    turns = [2 * np.pi * index * np.arange(512) / 512 for index in bins]
    return [np.round(32767 * np.cos(turn + turn[1])).astype(np.int16) for turn in turns]


def flipped(values: tuple[int, ...], entry: int, bit: int = 1) -> tuple[int, ...]:
    """One bit of one entry changed."""
    return (*values[:entry], values[entry] ^ bit, *values[entry + 1 :])


def unnoticed(
    entries: Iterable[int],
    change: Callable[[int, int], MfccTables],
    results: Callable[[MfccStages], Iterator[list[int]]],
    mfcc: Mfcc = ALL,
) -> list[int]:
    """Entries whose changed table gives the right results."""
    expected = list(results(MfccStages(AUDIO, WINDOW, mfcc, tables=change(0, 0))))

    def noticed(tables: MfccTables) -> bool:
        wrong = results(MfccStages(AUDIO, WINDOW, mfcc, tables=tables))
        return any(found != right for found, right in zip(wrong, expected, strict=True))

    return [entry for entry in entries if not any(noticed(change(entry, bit)) for bit in (1, 4))]


def test_a_bit_of_the_window_is_noticed() -> None:
    made, sounds = default_tables(), noise(40)

    def change(entry: int, bit: int) -> MfccTables:
        return dataclasses.replace(made, window=flipped(made.window, entry, bit))

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.windowed(sound)[0].tolist() for sound in sounds)

    assert unnoticed(range(400), change, results) == []


@pytest.mark.parametrize("part", ["stages", "split"])
def test_a_bit_of_the_twiddles_is_noticed(part: str) -> None:
    made = default_tables()
    inputs = [np.concatenate([sound, sound[:112]]) for sound in noise(20)] + tones(range(1, 256))
    padded = [values.view(np.uint32) for values in inputs]

    def change(entry: int, bit: int) -> MfccTables:
        factors = flipped(getattr(made.twiddles, part), entry, bit)
        return dataclasses.replace(made, twiddles=dataclasses.replace(made.twiddles, **{part: factors}))

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.spectrum(words).tolist() for words in padded)

    assert unnoticed(range(len(getattr(made.twiddles, part))), change, results) == []


def one_bin(index: int, value: int) -> Words:
    spectrum = np.zeros(256, np.uint32)
    spectrum[index] = value
    return spectrum


def test_a_bit_of_a_mel_weight_is_noticed() -> None:
    """Levels in small steps, so that a weight's last bit crosses one of the log's 64 steps an octave."""
    made = default_tables()
    bank = made.bank
    bins = [first + i for first, count in zip(bank.firsts, bank.counts, strict=True) for i in range(count)]
    right = MfccStages(AUDIO, WINDOW, ALL)
    missed = []
    for entry, index in enumerate(bins):
        changed = dataclasses.replace(bank, weights=flipped(bank.weights, entry))
        wrong = MfccStages(AUDIO, WINDOW, ALL, tables=dataclasses.replace(made, bank=changed))
        spectra = (one_bin(index, level) for level in range(3000, 6000, 3))
        if all((right.log_mel(x, 0) == wrong.log_mel(x, 0)).all() for x in spectra):
            missed.append(entry)
    assert missed == []


@pytest.mark.parametrize("field", ["firsts", "counts"])
def test_a_bit_of_a_filter_s_place_is_noticed(field: str) -> None:
    """Its lowest bit that is set, so that no filter leaves the table."""
    made = default_tables()
    spectra = [one_bin(index, 3000) for index in range(1, 256)]

    def change(entry: int, bit: int) -> MfccTables:
        places = getattr(made.bank, field)
        lowest = places[entry] & -places[entry] if bit else 0
        bank = dataclasses.replace(made.bank, **{field: flipped(places, entry, lowest)})
        return dataclasses.replace(made, bank=bank)

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.log_mel(spectrum, 0).tolist() for spectrum in spectra)

    assert unnoticed(range(23), change, results) == []


ONE = Mfcc(cepstra=1, filters=1)


def weighing_one(made: MfccTables) -> MfccTables:
    """One filter, bin 1 with weight 1: its energy is the bin's power times 2^8 at shift 6."""
    return dataclasses.replace(made, bank=MelBank((1,), (1,), (1,)))


def bin_of_energy(energy: int) -> Words:
    """A bin with nearly this energy: its power as a sum of two squares."""
    power = energy >> 8
    re = math.isqrt(power)
    return one_bin(1, re | math.isqrt(power - re * re) << 16)


def energy_of(spectrum: Words) -> int:
    word = int(spectrum[1])
    return ((word & 0xFFFF) ** 2 + (word >> 16) ** 2) << 8


def test_a_bit_of_log2_is_noticed() -> None:
    made = default_tables()
    spectra = [bin_of_energy(((64 + i) << bit) >> 6) for i in range(64) for bit in range(20, 38)]

    def change(entry: int, bit: int) -> MfccTables:
        return weighing_one(dataclasses.replace(made, log2=flipped(made.log2, entry, bit)))

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.log_mel(spectrum, 6).tolist() for spectrum in spectra)

    assert unnoticed(range(64), change, results, ONE) == []


def test_a_bit_of_log_add_is_noticed() -> None:
    """Every 20th entry that energies below 2^38 reach; about a fifth of the entries no energy can reach."""
    made, model = default_tables(), IntegerMfcc(Config())
    places: dict[int, Words] = {}
    for high in range(1, 63):
        for step in range(64 * 9):
            low = int(high * 2 ** (23 + step / 64))
            if low >= 2**32:
                break
            spectrum = bin_of_energy((high << 32) + low)
            energy = energy_of(spectrum)
            distance = abs(model.log_q(energy >> 32) + 90852 - model.log_q(energy % 2**32)) >> 4
            if distance < 1597:
                places[distance] = spectrum
    entries = sorted(places)[::20]
    assert len(places) > 900

    def change(entry: int, bit: int) -> MfccTables:
        return weighing_one(dataclasses.replace(made, log_add=flipped(made.log_add, entry, bit)))

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.log_mel(places[entry], 6).tolist() for entry in entries)

    assert unnoticed(entries, change, results, ONE) == []


def test_a_bit_of_the_cosines_the_factors_and_the_lifter_is_noticed() -> None:
    made = default_tables()
    rng = np.random.default_rng(2)
    inputs = [rng.integers(49125, 150000, 23).astype(np.int32) for _ in range(4)]

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages.lifted(stages.dct(x)).tolist() for x in inputs)

    def change_cosine(entry: int, bit: int) -> MfccTables:
        row, column = divmod(entry, 12)
        rows = list(made.dct.cosines)
        rows[row] = flipped(rows[row], column, bit)
        return dataclasses.replace(made, dct=dataclasses.replace(made.dct, cosines=tuple(rows)))

    # the middle filter of an odd cepstrum: 0, and never read
    unused = [row * 12 + 11 for row in range(0, 22, 2)]
    assert unnoticed(range(22 * 12), change_cosine, results) == unused

    for field in ("first", "other"):

        def change_factor(entry: int, bit: int, field: str = field) -> MfccTables:
            factor = dataclasses.replace(made.dct, **{field: getattr(made.dct, field) ^ bit})
            return dataclasses.replace(made, dct=factor)

        assert unnoticed([0], change_factor, results) == []

    def change_lifter(entry: int, bit: int) -> MfccTables:
        return dataclasses.replace(made, lifter=flipped(made.lifter, entry, bit))

    assert unnoticed(range(23), change_lifter, results) == []


@pytest.mark.parametrize("field", ["preemphasis", "energy_offset"])
def test_a_bit_of_a_constant_is_noticed(field: str) -> None:
    made, sounds = default_tables(), noise(3)

    def change(entry: int, bit: int) -> MfccTables:
        return dataclasses.replace(made, **{field: getattr(made, field) ^ bit})

    def results(stages: MfccStages) -> Iterator[list[int]]:
        return (stages(sound) for sound in sounds)

    assert unnoticed([0], change, results) == []


def test_a_bit_of_the_scale_is_noticed() -> None:
    """The lowest bit that can matter to a range of 10^6: 2^56 / 10^6^2, about 2^16."""
    multiplier = scale_multiplier(Scale(0, 10**6))
    x = np.arange(10**6, dtype=np.int32)
    expected = scaled(0, 10**6, x)
    assert (scaled(0, 10**6, x, multiplier ^ 1) == expected).all()
    for bit in range(48, 64):
        assert (scaled(0, 10**6, x, multiplier ^ 1 << bit) != expected).any(), bit
    assert (scaled(0, 10**6, x, multiplier - 2**36) != expected).any()
