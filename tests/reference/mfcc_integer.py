# SPDX-License-Identifier: Apache-2.0
"""The fixed-point MFCC in Python's integers, step by step as its description numbers them.

Nothing wraps but where `int16` says so; sums of energies are taken modulo 2^64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from tests.reference.precise import (
    cos_turns,
    decimal,
    float32,
    float32_logarithm,
    logarithm,
    nearest,
    sin_turns,
    truncated,
)

LOG_ADD = 1598


def int16(value: int) -> int:
    """The value as the low 16 bits of two's complement."""
    return (value + 0x8000) % 0x10000 - 0x8000


def product(a: int, b: int) -> int:
    """m(a, b)."""
    return int16((a * b + 1) >> 15)


def times(a: tuple[int, int], w: tuple[int, int]) -> tuple[int, int]:
    """Complex product, every real one rounded on its own."""
    return (
        int16(product(a[0], w[0]) - product(a[1], w[1])),
        int16(product(a[0], w[1]) + product(a[1], w[0])),
    )


@dataclass(frozen=True)
class Config:
    """Everything a user sets."""

    sample_rate: int = 16000
    window: int = 400
    fft: int = 512
    filters: int = 23
    cepstra: int = 20
    low_hz: float = 20.0
    high_hz: float = 8000.0
    lifter: float = 22.0
    preemphasis: float = 0.97


@dataclass(frozen=True)
class Stages:
    """One window, every stage."""

    preemphasis: list[int]
    peak: int
    shift: int
    fft_input: list[int]
    fft_output: list[tuple[int, int]]
    log_mel: list[int]
    dct: list[int]
    liftered: list[int]
    mfcc: list[int]


class IntegerMfcc:
    """The MFCC of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config

    # Tables, to 40 digits where they are formulas over the reals

    @cached_property
    def povey(self) -> list[int]:
        """Step 2."""
        size = self.config.window
        hann = [(1 - cos_turns(Fraction(n, size - 1))) / 2 for n in range(size)]
        return [nearest(16383 * (h.ln() * 85 / 100).exp()) if h else 0 for h in hann]

    @cached_property
    def twiddle_cos(self) -> list[int]:
        """c[i] of step 5."""
        n = self.config.fft
        return [truncated(32767 * cos_turns(Fraction(i, n))) for i in range(n // 2)]

    @cached_property
    def twiddle_sin(self) -> list[int]:
        """s[i] of step 5."""
        n = self.config.fft
        return [truncated(32767 * sin_turns(Fraction(i, n))) for i in range(n // 2)]

    @cached_property
    def mel(self) -> list[dict[int, int]]:
        """Step 7: bin -> weight of every filter. float32 by rounding exact rationals."""
        config = self.config

        def mel(hertz: Fraction) -> Fraction:
            return float32(1127 * float32_logarithm(float32(1 + float32(hertz / 700))))

        low = mel(float32(Fraction(config.low_hz)))
        high = mel(float32(Fraction(config.high_hz)))
        delta = float32(float32(high - low) / (config.filters + 1))
        edges = [float32(low + float32(j * delta)) for j in range(config.filters + 2)]
        bins = [mel(float32(Fraction(k * config.sample_rate, config.fft))) for k in range(config.fft // 2)]
        bank = []
        for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
            weights = {}
            for k, m in enumerate(bins):
                if not left < m < right:
                    continue
                if m <= centre:
                    w = float32(float32(m - left) / float32(centre - left))
                else:
                    w = float32(float32(right - m) / float32(right - centre))
                weights[k] = (2 * 4096 * w.numerator + w.denominator) // (2 * w.denominator)
            bank.append(weights)
        return bank

    @cached_property
    def log2(self) -> list[int]:
        """T of step 8."""
        return [nearest(4096 * logarithm(1 + Fraction(j, 64)) / logarithm(2)) for j in range(64)]

    @cached_property
    def log_add(self) -> list[int]:
        """A of step 8."""
        return [nearest(256 * (1 + (Decimal(-d) / 256).exp()).ln()) for d in range(LOG_ADD)]

    @cached_property
    def cosines(self) -> list[list[int]]:
        """D of step 9, rows 0..cepstra-1."""
        n = self.config.filters
        return [
            [nearest(2048 * cos_turns(Fraction(k * (2 * j + 1), 4 * n))) for j in range(n)]
            for k in range(self.config.cepstra)
        ]

    @cached_property
    def lifter(self) -> list[int]:
        """l of step 10."""
        q = Fraction(self.config.lifter)
        if q == 0:
            return [4096] * self.config.cepstra
        return [
            nearest(4096 * (1 + decimal(q / 2) * sin_turns(k / (2 * q)))) for k in range(self.config.cepstra)
        ]

    # Steps

    def log_q(self, x: int) -> int:
        """Natural logarithm, Q12."""
        if x == 0:
            return -2829416
        msb = x.bit_length() - 1
        below = x - (1 << msb)
        six = below >> (msb - 6) if msb >= 6 else below << (6 - msb)
        return ((msb * 4096 + self.log2[six]) * 2839) >> 12

    def log_sum(self, a: int, b: int) -> int:
        """logadd(a, b)."""
        d = abs(a - b) >> 4
        return max(a, b) + (self.log_add[d] * 16 if d < LOG_ADD else 0)

    def spectrum(self, values: Sequence[int]) -> list[tuple[int, int]]:
        """Step 5: bins 0..fft/2-1."""
        points = self.config.fft // 2
        bits = points.bit_length() - 1
        c, s = self.twiddle_cos, self.twiddle_sin
        z = [(0, 0)] * points
        for i in range(points):
            z[int(format(i, f"0{bits}b")[::-1], 2)] = (values[2 * i], values[2 * i + 1])
        for stage in range(bits):
            half = 1 << stage
            for j in range(half):
                w = (c[j * points // half], -s[j * points // half])
                for top in range(j, points, 2 * half):
                    p = (z[top][0] >> 1, z[top][1] >> 1)
                    t = times((z[top + half][0] >> 1, z[top + half][1] >> 1), w)
                    z[top] = (int16(p[0] + t[0]), int16(p[1] + t[1]))
                    z[top + half] = (int16(p[0] - t[0]), int16(p[1] - t[1]))
        x = list(z)
        for k in range(1, points // 2):
            mirror = z[points - k]
            a = (z[k][0] >> 1, z[k][1] >> 1)
            b = (mirror[0] >> 1, -mirror[1] >> 1)
            f1 = (int16(a[0] + b[0]), int16(a[1] + b[1]))
            f2 = (int16(a[0] - b[0]), int16(a[1] - b[1]))
            t = times(f2, (-s[k], -c[k]))
            x[k] = (int16(f1[0] + t[0]), int16(f1[1] + t[1]))
            x[points - k] = (int16(f1[0] - t[0]), int16(t[1] - f1[1]))
        return x

    def stages(self, samples: Sequence[int]) -> Stages:
        """One window."""
        config = self.config
        factor = int(Fraction(config.preemphasis) * 32768)
        emphasised = [
            int16((x * 32768 - factor * previous) >> 16)
            for x, previous in zip(samples, [0, *samples[:-1]], strict=True)
        ]
        windowed = [(y * w) >> 14 for y, w in zip(emphasised, self.povey, strict=True)]
        peak = max(abs(y) for y in windowed)
        shift = next((bits for bits in range(6) if peak << bits >= 16384), 6)
        padded = [y << shift for y in windowed] + [0] * (config.fft - config.window)
        spectrum = self.spectrum(padded)

        stages = config.fft.bit_length() - 1
        bits = 2 * ((6 - shift) + stages) - 10 - self.lacking
        power = [(re * re + im * im) << bits for re, im in spectrum]
        log_mel = []
        for weights in self.mel:
            energy = sum(power[k] * w for k, w in weights.items()) % 2**64
            high, low = self.log_q(energy >> 32) + 90852, self.log_q(energy % 2**32)
            log_mel.append(max(49125 - 2839 * self.lacking, self.log_sum(high, low)))

        n = config.filters
        first, other = self.dct_factors
        dct = [((sum(log_mel) >> 1) * first) >> 10]
        for row in self.cosines[1:]:
            dct.append(((sum((e >> 1) * d for e, d in zip(log_mel, row, strict=True)) >> 11) * other) >> 10)
        liftered = [(c * weight) >> 12 for c, weight in zip(dct, self.lifter, strict=True)]
        offset = nearest(190131 * decimal(Fraction(n, 23)).sqrt())
        offset -= nearest(decimal(Fraction(n * 2839 * self.lacking * first, 2048)))
        return Stages(
            preemphasis=emphasised,
            peak=peak,
            shift=shift,
            fft_input=padded,
            fft_output=spectrum,
            log_mel=log_mel,
            dct=dct,
            liftered=liftered,
            mfcc=[liftered[0] - offset, *liftered[1:]],
        )

    @property
    def lacking(self) -> int:
        """d of docs/front_end.md: bits that the power of a long FFT would have beyond 64."""
        return {2048: 2, 4096: 4}.get(self.config.fft, 0)

    @cached_property
    def dct_factors(self) -> tuple[int, int]:
        """round(2048 / sqrt(n)) and round(2048 sqrt(2 / n))."""
        n = self.config.filters
        return nearest(2048 / Decimal(n).sqrt()), nearest(2048 * decimal(Fraction(2, n)).sqrt())
