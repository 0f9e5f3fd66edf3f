# SPDX-License-Identifier: Apache-2.0
"""Kaldi's MFCC in float64: what the fixed-point one approximates, in its units (4096 times Kaldi's).

Three constants are the fixed-point one's: the scale of a filter's energy (energy_unit), the floor of
its logarithm, and what is taken from cepstrum 0 for that scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.reference.mfcc_integer import Config

Floats = NDArray[np.float64]

OFFSET = 190131 / np.sqrt(23)  # for one filter


def energy_unit(config: Config) -> float:
    """Of Kaldi's energy: 2^14, and less for FFTs beyond 1024 points, whose sums would leave 64 bits."""
    return float(2.0**14 / max(1, config.fft / 1024) ** 2)


def floor(config: Config) -> float:
    """Of a logarithm: always of the same energy in Kaldi's units."""
    return float(49125.0 + 4096 * np.log(energy_unit(config) / 2**14))


def mel(hertz: Floats | float) -> Floats:
    """The mel scale."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))


def triangles(config: Config) -> Floats:
    """Weights [filters, bins]."""
    edges = np.linspace(mel(config.low_hz), mel(config.high_hz), config.filters + 2)
    bins = mel(np.arange(config.fft // 2) * config.sample_rate / config.fft)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


def energies(config: Config, samples: NDArray[np.int16]) -> Floats:
    """Windows [n, window] -> energies [n, filters]."""
    x = samples.astype(np.float64)
    emphasised = x - config.preemphasis * np.concatenate([np.zeros((len(x), 1)), x[:, :-1]], axis=1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.window) / (config.window - 1))
    power = np.abs(np.fft.rfft(emphasised * hann**0.85, config.fft)) ** 2
    return np.asarray(energy_unit(config) * power[:, : config.fft // 2] @ triangles(config).T)


def log_mel(config: Config, energy: Floats) -> Floats:
    """Energies -> their logarithms."""
    return np.asarray(np.maximum(floor(config), 4096 * np.log(np.maximum(energy, 1.0))))


def lifter(config: Config) -> Floats:
    """The factor of every cepstrum."""
    k = np.arange(config.cepstra)
    if config.lifter == 0:
        return np.ones(config.cepstra)
    return np.asarray(1 + config.lifter / 2 * np.sin(np.pi * k / config.lifter))


def mfcc(config: Config, samples: NDArray[np.int16]) -> Floats:
    """Windows [n, window] -> cepstra [n, cepstra]."""
    n, k = config.filters, np.arange(config.cepstra)
    basis = np.sqrt(2 / n) * np.cos(np.pi * k[:, None] * (np.arange(n) + 0.5) / n)
    basis[0] = np.sqrt(1 / n)
    cepstra = (log_mel(config, energies(config, samples)) @ basis.T) * lifter(config)
    cepstra[:, 0] -= (OFFSET + 4096 * np.log(energy_unit(config) / 2**14)) * np.sqrt(n)
    return np.asarray(cepstra)
