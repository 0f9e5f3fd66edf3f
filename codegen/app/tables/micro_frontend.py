# SPDX-License-Identifier: Apache-2.0
"""All tables of TensorFlow Lite Micro's audio front end, and what settings it can have.

Its own arithmetic is float32: so is this one. Cosine and power are float64's, rounded, which is what C
libraries return but for the rarest last bit; the logarithm has a file of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from codegen.app.spec import Audio, MicroFrontend, Window
from codegen.app.tables.log1p import log1p_float32
from codegen.common.errors import UserError

INT16_MAX = 32767
FFT_MIN, FFT_MAX = 64, 4096


@dataclass(frozen=True)
class MicroFrontendTables:
    """What micro_frontend_t holds, as integers."""

    fft: int  # points
    window: tuple[int, ...]  # Q12
    stages: tuple[int, ...]  # twiddles of the butterflies, then of the split: pairs cos, -sin, Q15
    split: tuple[int, ...]
    first: int  # bin
    bands: tuple[int, ...]  # filters + 1: bins of each
    bank: tuple[int, ...]  # pairs falling, rising of every bin, Q12
    log2: tuple[int, ...]  # 129, Q16
    smoothing: tuple[int, int]  # Q14
    remaining: int  # Q14
    gains: tuple[int, ...]  # 125, or none
    gain_shift: int
    correction: int


def fft_points(window: Window) -> int:
    """The smallest power of 2 that holds a window."""
    return 1 << (window.size - 1).bit_length()


def micro_frontend_scratch_bytes(window: Window) -> int:
    """Memory that micro_frontend_frame() uses between its start and its end: two buffers of fft int16."""
    return 4 * fft_points(window)


def micro_frontend_tables(audio: Audio, window: Window, frontend: MicroFrontend) -> MicroFrontendTables:
    """The tables of settings that passed check_micro_frontend()."""
    points = fft_points(window)
    first, bands, bank = _bank(audio, points, frontend)
    correction = _correction(points)
    return MicroFrontendTables(
        fft=points,
        window=_hann(window.size) if frontend.tables == "c" else _hann_of_signal(window.size),
        stages=_butterflies(points // 2),
        split=_split(points // 2),
        first=first,
        bands=bands,
        bank=bank,
        log2=_log2(),
        smoothing=(_share(frontend.even_smoothing), _share(frontend.odd_smoothing)),
        remaining=_share(frontend.min_signal_remaining),
        gains=_gains(frontend, frontend.smoothing_bits - correction) if frontend.pcan else (),
        gain_shift=frontend.pcan_gain_bits - correction - 12 if frontend.pcan else 0,
        correction=correction,
    )


def check_micro_frontend(audio: Audio, window: Window, frontend: MicroFrontend) -> None:
    """Settings in their ranges that still make no front end: UserError.

    Ranges of single values and low_hz < high_hz are expected to hold.
    """
    points = fft_points(window)
    if points < FFT_MIN:
        what = f"a window of {window.size} samples; this front end hears {FFT_MIN // 2 + 1}..{FFT_MAX}"
        raise UserError(what, place="[window] size", remedy="Write size = 480, or another in that range.")
    spacing = audio.sample_rate / points
    first, bands, _ = _bank(audio, points, frontend)
    if first + sum(bands) > points // 2:
        highest = math.floor((points // 2 - 1) * spacing)
        what = f"filters up to {frontend.high_hz:g} Hz; the last bin of this FFT in use is at {highest} Hz"
        raise UserError(what, place="[micro_frontend] high_hz", remedy=f"Write high_hz = {highest} or less.")
    deaf = _deaf(bands)
    if deaf is not None:
        what = (
            f"filter {deaf + 1} of {frontend.filters} lies between two bins of the FFT, "
            f"which are {spacing:g} Hz apart, and hears nothing"
        )
        fitting = next(
            (n for n in range(frontend.filters, 0, -1) if _hears(audio, points, frontend, n)), None
        )
        remedies = [] if fitting is None else [f"filters = {fitting}"]
        remedies += ["a longer window", "a wider range of low_hz to high_hz"]
        remedy = f"Write {', or '.join(remedies)}."
        raise UserError(what, place="[micro_frontend] filters", remedy=remedy)
    shifts = frontend.pcan_gain_bits - _correction(points) - 12
    if frontend.pcan and not 0 <= shifts <= 31:
        least = 12 + _correction(points)
        what = f"pcan_gain_bits = {frontend.pcan_gain_bits} for an FFT of {points} points"
        remedy = f"Write pcan_gain_bits = {max(21, least)}, or another of {least}..31."
        raise UserError(what, place="[micro_frontend] pcan_gain_bits", remedy=remedy)
    if frontend.pcan and frontend.smoothing_bits < _correction(points):
        what = f"smoothing_bits = {frontend.smoothing_bits} for an FFT of {points} points with pcan"
        remedy = f"Write smoothing_bits = 10, or another of {max(0, _correction(points))}..15."
        raise UserError(what, place="[micro_frontend] smoothing_bits", remedy=remedy)


def _correction(points: int) -> int:
    return points.bit_length() - 1 - 6


def _share(share: float) -> int:
    """Q14, toward zero."""
    return int(np.float32(share) * np.float32(1 << 14))


def _hann(size: int) -> tuple[int, ...]:
    """A Hann window between its samples: 0.5 - 0.5 cos(2 pi (n + 1/2) / size), Q12."""
    step = np.float32(math.pi) * np.float32(2) / np.float32(size)
    half = np.float32(0.5)

    def weight(n: int) -> int:
        cosine = np.float32(math.cos(float(step * (np.float32(n) + half))))
        return math.floor((half - half * cosine) * np.float32(4096) + half)

    return tuple(weight(n) for n in range(size))


def _hann_of_signal(size: int) -> tuple[int, ...]:
    """The same in float64, halves to the even number."""
    return tuple(round(4096 * (0.5 - 0.5 * math.cos(2 * math.pi / size * (n + 0.5)))) for n in range(size))


def _factor(turns: float) -> list[int]:
    """cos and -sin of 2 pi `turns`, Q15, to nearest."""
    angle = -2 * math.pi * turns
    return [math.floor(0.5 + 32767 * math.cos(angle)), math.floor(0.5 + 32767 * math.sin(angle))]


def _butterflies(pairs: int) -> tuple[int, ...]:
    """For each stage after the first and each of its butterflies: factors of inputs two to four."""
    stages: list[int] = []
    distance = 2 if pairs.bit_length() % 2 == 0 else 4
    while distance < pairs:
        for k in range(distance):
            for times in (1, 2, 3):
                stages += _factor(times * k / (4 * distance))
        distance *= 4
    return tuple(stages)


def _split(pairs: int) -> tuple[int, ...]:
    factors: list[int] = []
    for k in range(1, pairs // 2 + 1):
        angle = -math.pi * (k / pairs + 0.5)
        factors += [math.floor(0.5 + 32767 * math.cos(angle)), math.floor(0.5 + 32767 * math.sin(angle))]
    return tuple(factors)


def _mel(hertz: np.float32) -> np.float32:
    return np.float32(1127) * log1p_float32(hertz / np.float32(700))


def _bank(
    audio: Audio, points: int, frontend: MicroFrontend, filters: int | None = None
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """First bin, bins of each band, pairs of weights. A band ends below the first bin above its frequency."""
    bands = (filters or frontend.filters) + 1
    low, high = np.float32(frontend.low_hz), np.float32(frontend.high_hz)
    spacing = np.float32(0.5) * np.float32(audio.sample_rate) / np.float32(points // 2)
    lowest = _mel(low)
    step = (_mel(high) - lowest) / np.float32(bands)
    first = frequency = int(np.float32(1.5) + low / spacing)
    weight = _weight if frontend.tables == "c" else _weight_of_signal
    below, counts, bank = lowest, [], []
    for band in range(bands):
        centre = lowest + step * np.float32(band + 1)
        begin = frequency
        while (mel := _mel(np.float32(frequency) * spacing)) <= centre:
            falling = (centre - mel) / (centre - below)
            bank += [weight(falling), weight(np.float32(1) - falling)]
            frequency += 1
        counts.append(frequency - begin)
        below = centre
    return first, tuple(counts), tuple(bank)


def _weight(value: np.float32) -> int:
    return math.floor(value * np.float32(4096) + np.float32(0.5))


def _weight_of_signal(value: np.float32) -> int:
    return int(value * np.float32(4096))


def _deaf(bands: tuple[int, ...]) -> int | None:
    """The first filter of two empty bands."""
    pairs = pairwise(bands)
    return next((i for i, (rising, falling) in enumerate(pairs) if rising + falling == 0), None)


def _hears(audio: Audio, points: int, frontend: MicroFrontend, filters: int) -> bool:
    return _deaf(_bank(audio, points, frontend, filters)[1]) is None


def _log2() -> tuple[int, ...]:
    """round(65536 (log2(1 + i / 128) - i / 128)), i = 0..128."""
    return tuple(math.floor(65536 * (math.log2(1 + i / 128) - i / 128) + 0.5) for i in range(129))


def _gains(frontend: MicroFrontend, input_bits: int) -> tuple[int, ...]:
    """Gains of noise 0 and 1, then of each power of 2 the gain and the parabola up to the next one: three
    values and a gap of one. An int16 each; coefficients wrap."""
    strength, offset = np.float32(frontend.pcan_strength), np.float32(frontend.pcan_offset)
    one = np.float32(1 << frontend.pcan_gain_bits)

    def gain(noise: int) -> int:
        base = np.float32(noise) / np.float32(1 << input_bits) + offset
        value = one * np.float32(float(base) ** -float(strength))
        return INT16_MAX if value > INT16_MAX else int(value + np.float32(0.5))

    table = [gain(0), gain(1)]
    for bits in range(2, 33):
        lower = 1 << (bits - 1)
        upper = 2 * lower if bits < 32 else 2 * lower - 1
        start, middle, end = gain(lower), gain(lower + lower // 2), gain(upper)
        slope = 4 * (middle - start) - (end - start)
        table += [start, _int16(slope), _int16(end - start - slope), 0]
    return tuple(table[:125])


def _int16(value: int) -> int:
    return (value + 0x8000) % 0x10000 - 0x8000
