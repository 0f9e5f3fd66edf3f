# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro's audio front end in Python's integers, written from the formulas of
docs/front_end.md for tests: a recursive FFT, complex numbers as pairs, no packing, neither order nor tables
of the generator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.reference.micro_frontend_tables import Tables, log2_beyond_line, share_of_one

Complex = tuple[int, int]


def int16(value: int) -> int:
    """Modulo 2^16."""
    return (value + 0x8000) % 0x10000 - 0x8000


def rounded(value: int) -> int:
    """A product of Q15, to nearest, halves up."""
    return int16((value + 0x4000) >> 15)


def share(value: Complex, radix: int) -> Complex:
    """Divided by the radix."""
    return rounded(value[0] * (32767 // radix)), rounded(value[1] * (32767 // radix))


def product(a: Complex, b: Complex) -> Complex:
    return rounded(a[0] * b[0] - a[1] * b[1]), rounded(a[0] * b[1] + a[1] * b[0])


def plus(a: Complex, b: Complex, turn: Complex = (1, 0)) -> Complex:
    """a + turn b, with turn one of 1, i, -1, -i."""
    turned = b[0] * turn[0] - b[1] * turn[1], b[0] * turn[1] + b[1] * turn[0]
    return int16(a[0] + turned[0]), int16(a[1] + turned[1])


def circle(turns: float) -> Complex:
    """32767 e^(-2 pi i turns), to nearest."""
    angle = -2 * math.pi * turns
    return math.floor(32767 * math.cos(angle) + 0.5), math.floor(32767 * math.sin(angle) + 0.5)


def fft(values: list[Complex]) -> list[Complex]:
    """Of a power of 2, radix 4 as long as 4 divides."""
    count = len(values)
    if count == 1:
        return values
    radix = 4 if count % 4 == 0 else 2
    parts = [fft(values[first::radix]) for first in range(radix)]
    part = count // radix
    result: list[Complex] = [(0, 0)] * count
    for k in range(part):
        inputs = [product(share(parts[j][k], radix), circle(j * k / count)) for j in range(radix)]
        for output in range(radix):
            total = (0, 0)
            for j, value in enumerate(inputs):
                turns = (1, 0), (0, -1), (-1, 0), (0, 1)
                total = plus(total, value, turns[j * output * (4 // radix) % 4])
            result[k + output * part] = total
    return result


def real_fft(samples: list[int]) -> list[Complex]:
    """Bins 1..n/2-1 of real values, divided by n; bin 0 is (0, 0)."""
    pairs = fft(list(zip(samples[::2], samples[1::2], strict=True)))
    count = len(pairs)
    bins: list[Complex] = [(0, 0)] * count
    for k in range(1, count // 2 + 1):
        mirror = pairs[count - k]
        a, b = share(pairs[k], 2), share((mirror[0], int16(-mirror[1])), 2)
        even, odd = plus(a, b), plus(a, b, (-1, 0))
        turned = product(odd, circle(k / count / 2 + 0.25))
        bins[k] = (even[0] + turned[0]) >> 1, (even[1] + turned[1]) >> 1
        bins[count - k] = (even[0] - turned[0]) >> 1, (turned[1] - even[1]) >> 1
    return bins


@dataclass
class IntegerFrontend:
    """One front end with its estimate of the noise."""

    tables: Tables
    estimate: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = self.tables.settings
        self.estimate = [0] * self.settings.filters

    def __call__(self, samples: list[int]) -> list[int]:
        """The values of one window."""
        windowed = [x * w >> 12 for x, w in zip(samples, self.tables.window, strict=True)]
        peak = max(int16(abs(y)) for y in windowed)
        shift = 15 - max(peak, 0).bit_length()
        windowed += [0] * (self.tables.points - len(windowed))
        bins = real_fft([int16(y << shift) for y in windowed])
        powers = [re * re + im * im for re, im in bins]
        sums = [sum(powers[at] * weight for at, weight in one) for one in self.tables.filters]
        return [self._value(i, self._root(power) >> shift) for i, power in enumerate(sums)]

    @staticmethod
    def _root(power: int) -> int:
        root = math.isqrt(power)
        return root if root == 0xFFFF else root + (power - root * root > root)

    def _value(self, i: int, signal: int) -> int:
        s = self.settings
        scaled = (signal << s.smoothing_bits) % 2**32
        new = share_of_one((s.even_smoothing, s.odd_smoothing)[i % 2])
        noise = self.estimate[i] = (scaled * new + self.estimate[i] * (2**14 - new)) >> 14
        rest = (scaled - min(noise, scaled)) >> s.smoothing_bits
        value = max(rest, signal * share_of_one(s.min_signal_remaining) >> 14)
        if s.pcan:
            shift = s.pcan_gain_bits - self.tables.doublings - 12
            ratio = (value * (self._gain(noise) % 2**32) >> shift) % 2**32
            value = ratio * ratio >> 20 if ratio < 2 << 12 else (ratio >> 6) - 64
        return min(self._log(value), 0xFFFF) if s.log else min(value, 0xFFFF)

    def _gain(self, noise: int) -> int:
        if noise <= 2:
            return self.tables.gain(noise)
        octave = noise.bit_length() - 1
        start, slope, bend = self.tables.parabola(octave)
        x = int(noise * 2.0 ** (10 - octave)) % 1024
        return int16(((((int16(bend) * x >> 5) + int16(slope) * 32) * x + 2**14) >> 15) + start)

    def _log(self, value: int) -> int:
        shift = self.tables.doublings
        value = value >> -shift if shift < 0 else (value << shift) % 2**32
        if value <= 1:
            return 0
        whole = value.bit_length() - 1
        fraction = int((value - 2**whole) * 2.0 ** (16 - whole))
        at, between = divmod(fraction, 512)
        left, right = log2_beyond_line(at), log2_beyond_line(at + 1)
        log2 = (whole << 16) + fraction + left + ((right - left) * between >> 16)
        natural = (45426 * log2 + 2**15) >> 16
        return ((natural << self.settings.log_shift) % 2**32 + 2**15) % 2**32 >> 16
