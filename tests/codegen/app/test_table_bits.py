# SPDX-License-Identifier: Apache-2.0
"""One changed bit in any table is noticed.

The C with one bit of one entry changed gives another result than with the right table, on material that
reaches the entry. The lowest bit is the smallest fault there is; where it cannot matter (32766 for 32767
times half of an int16, 1 for 0 in a logarithm of steps of 44) the third one is changed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Audio, Mfcc, Scale, Window
from codegen.app.tables import MfccTables, mfcc_tables
from codegen.app.tables.mel import MelBank
from codegen.app.tables.scale import scale_multiplier
from tests.reference.mfcc_integer import Config, IntegerMfcc
from tests.support.pipeline_c import MfccStages, scaled

AUDIO, WINDOW, ALL = Audio(), Window(), Mfcc(cepstra=23)
Int16s = NDArray[np.int16]
Words = NDArray[np.uint32]


@lru_cache(maxsize=1)
def default_tables() -> MfccTables:
    return mfcc_tables(AUDIO, WINDOW, ALL)


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
