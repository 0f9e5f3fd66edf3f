# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro's audio front end in Python's integers, written from the formulas of
docs/front_end.md for tests: a recursive FFT, complex numbers as pairs, no packing, no order of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from codegen.app.spec import MicroFrontend
from codegen.app.tables.micro_frontend import MicroFrontendTables

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

    settings: MicroFrontend
    tables: MicroFrontendTables
    estimate: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.estimate = [0] * self.settings.filters

    def __call__(self, samples: list[int]) -> list[int]:
        """The values of one window."""
        windowed = [x * w >> 12 for x, w in zip(samples, self.tables.window, strict=True)]
        peak = max(int16(abs(y)) for y in windowed)
        shift = 15 - max(peak, 0).bit_length()
        windowed += [0] * (self.tables.fft - len(windowed))
        bins = real_fft([int16(y << shift) for y in windowed])
        signal = self._filters(bins, shift)
        return [self._value(i, value) for i, value in enumerate(signal)]

    def _filters(self, bins: list[Complex], shift: int) -> list[int]:
        at, bank = self.tables.first, list(self.tables.bank)
        falling, rising = [], []
        for count in self.tables.bands:
            powers = [re * re + im * im for re, im in bins[at : at + count]]
            weights, bank = bank[: 2 * count], bank[2 * count :]
            falling.append(sum(p * w for p, w in zip(powers, weights[::2], strict=True)))
            rising.append(sum(p * w for p, w in zip(powers, weights[1::2], strict=True)))
            at += count
        powers = [a + b for a, b in zip(rising, falling[1:], strict=False)]
        return [self._root(power) >> shift for power in powers]

    @staticmethod
    def _root(power: int) -> int:
        root = math.isqrt(power)
        return root if root == 0xFFFF else root + (power - root * root > root)

    def _value(self, i: int, signal: int) -> int:
        s, t = self.settings, self.tables
        scaled = (signal << s.smoothing_bits) % 2**32
        new = t.smoothing[i % 2]
        noise = self.estimate[i] = (scaled * new + self.estimate[i] * (2**14 - new)) >> 14
        rest = (scaled - min(noise, scaled)) >> s.smoothing_bits
        value = max(rest, signal * t.remaining >> 14)
        if s.pcan:
            ratio = (value * (self._gain(noise) % 2**32) >> t.gain_shift) % 2**32
            value = ratio * ratio >> 20 if ratio < 2 << 12 else (ratio >> 6) - 64
        return min(self._log(value), 0xFFFF) if s.log else min(value, 0xFFFF)

    def _gain(self, noise: int) -> int:
        gains, bits = self.tables.gains, noise.bit_length()
        if noise <= 2:
            return gains[noise]
        start, slope, bend = gains[4 * bits - 6 : 4 * bits - 3]
        x = int(noise * 2.0 ** (11 - bits)) % 1024
        return int16(((((bend * x >> 5) + slope * 32) * x + 2**14) >> 15) + start)

    def _log(self, value: int) -> int:
        shift = self.tables.correction
        value = value >> -shift if shift < 0 else (value << shift) % 2**32
        if value <= 1:
            return 0
        whole = value.bit_length() - 1
        fraction = int((value - 2**whole) * 2.0 ** (16 - whole))
        at, between = divmod(fraction, 512)
        left, right = self.tables.log2[at], (*self.tables.log2, 0)[at + 1]
        log2 = (whole << 16) + fraction + left + ((right - left) * between >> 16)
        natural = (45426 * log2 + 2**15) >> 16
        return ((natural << self.settings.log_shift) % 2**32 + 2**15) % 2**32 >> 16
