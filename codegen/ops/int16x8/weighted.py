# SPDX-License-Identifier: Apache-2.0
"""What convolutions and dense layers with 16-bit activations share: sums, scalings, words of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array, groups
from codegen.kernels.packing.lanes import filled
from codegen.kernels.requantize import Multiplier
from codegen.model.graph import Tensor
from codegen.ops.int16x8.checks import LARGEST_INPUT

TAPS = 4  # in two words of weights
REDUCED_SHIFT = 15  # bits of a reduced multiplier
LEAST_SHIFT = REDUCED_SHIFT + 2  # of a reduced multiplier that requantize_narrow serves


@dataclass(frozen=True)
class Sums:
    """biases: one a channel; largest: of |sum| for any input, with the bias"""

    biases: list[int]
    largest: list[int]

    @property
    def narrow(self) -> bool:
        """They fit 32 bits."""
        return max(self.largest) < 1 << 31


def sums_of(flat: Ints, bias: Tensor | None) -> Sums:
    """flat: weights as [channels, taps]"""
    start = np.zeros(len(flat), np.int64)
    if bias is not None and bias.data is not None:
        start = bias.data.astype(np.int64).reshape(-1)
    reach = (np.abs(flat).sum(axis=1) * LARGEST_INPUT).tolist()
    biases = [int(value) for value in start]
    return Sums(biases, [abs(value) + int(most) for value, most in zip(biases, reach, strict=True)])


def upper(by: Multiplier) -> tuple[int, int]:
    """The upper 16 bits of a multiplier, rounded, and the bits that its products are shifted right by."""
    value = (by.value + (1 << 15)) >> 16 if by.value < 0x7FFF0000 else 0x7FFF
    return value, REDUCED_SHIFT - by.shift


def reduced(sums: Sums, multipliers: list[Multiplier]) -> Array:
    """Of biases of 64 bits: the multipliers' upper 16 bits, filled up to pairs. For sums of 32 bits channels,
    else, or where a multiplier is too large for these, wide."""
    scalings = [(bias, *upper(by)) for bias, by in zip(sums.biases, multipliers, strict=True)]
    large = any(value and shift < LEAST_SHIFT for _, value, shift in scalings)
    if large or not sums.narrow:
        rows = [*scalings, *[(0, 0, LEAST_SHIFT)] * (len(scalings) % 2)]
        return Array("wide", "requantize_16x8_t", np.array(rows, np.int64), "bias, multiplier, shift")
    found = []
    for bias, value, shift in scalings:
        right = max(1, shift - 32)
        found.append([bias, value << max(0, 33 - shift), 1 << (right - 1), 1, right])
    return _channels(found)


def twice(biases: list[int], multipliers: list[Multiplier]) -> Array:
    """Of biases of 32 bits, filled up to pairs."""
    rows = zip(biases, multipliers, strict=True)
    return _channels([[bias, by.value, 0, by.left + 1, by.right] for bias, by in rows])


def _channels(rows: list[list[int]]) -> Array:
    rows += [[0, 0, 0, 1, 1]] * (len(rows) % 2)
    return Array(
        "channels", "requantize_t", np.array(rows, np.int64), "bias, multiplier, offset, left, right"
    )


def words(flat: Ints) -> Array:
    """Of [channels, taps], filled with zeros to multiples: firmware/nn/dot_16x8.h."""
    whole = filled(flat, 2, TAPS) & 0xFF
    channels, taps = whole.shape
    both = whole[0::2] | whole[1::2] << 8
    found = (both[:, 0::2] | both[:, 1::2] << 16).reshape(-1)
    note = "each pair: by turns a weight of both, two taps a word"
    return Array("weights", "uint32_t", found, note, groups("channel", 2, channels, (taps // 2,)))
