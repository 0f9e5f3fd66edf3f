# SPDX-License-Identifier: Apache-2.0
"""Weights, biases and multipliers of convolutions and dense layers in the kernels' order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.layer import Array
from codegen.kernels.limits import LARGEST_SHIFT, LARGEST_SUM
from codegen.kernels.requantize import Multiplier, wrap32
from codegen.model.graph import Tensor

Ints = NDArray[np.int64]


def folded_bias(weights: Ints, bias: Tensor | None, zero_point: int) -> list[int]:
    """bias - zero_point * sum(weights), one a channel, modulo 2^32 like the accumulator."""
    start = (
        np.zeros(len(weights), np.int64) if bias is None or bias.data is None else bias.data.astype(np.int64)
    )
    sums = weights.sum(axis=1)
    return [wrap32(int(b) - zero_point * int(s)) for b, s in zip(start.reshape(-1), sums, strict=True)]


@dataclass(frozen=True)
class Scaling:
    """How a layer's sums become its outputs. largest: of |sum|, one a channel, before the bias wraps."""

    biases: list[int]
    multipliers: list[Multiplier]
    largest: list[int]
    zero_point: int
    low: int
    high: int

    @property
    def keeps_negative(self) -> bool:
        """Outputs below the zero point are seen, so halves of negative sums are rounded away from zero."""
        return self.low < self.zero_point

    @property
    def general(self) -> bool:
        """requantize_fast (firmware/nn/requantize.h) does not serve every channel."""
        if (self.low, self.high) != (-128, 127):
            return True
        return not all(self._fast(m, top) for m, top in zip(self.multipliers, self.largest, strict=True))

    @staticmethod
    def _fast(by: Multiplier, largest: int) -> bool:
        if by.value == 0:
            return largest < LARGEST_SUM
        return 1 <= by.right <= LARGEST_SHIFT and by.left == 0 and largest < LARGEST_SUM

    def array(self) -> Array:
        """requantize_t of every channel, padded to an even number."""
        rows = []
        for bias, by in zip(self.biases, self.multipliers, strict=True):
            right = by.right if by.value else 1
            offset = (self.zero_point << right) + (1 << right >> 1) if right <= LARGEST_SHIFT else 0
            rows.append([bias, by.value, offset, by.left + 1, right])
        if len(rows) % 2:
            rows.append([0] * 5)
        return Array(
            "channels",
            "requantize_t",
            np.array(rows, dtype=np.int64),
            "bias, multiplier, offset, left, right",
        )


def largest_sums(weights: Ints, bias: Tensor | None, zero_point: int) -> list[int]:
    """A bound of |sum| for any int8 input, one a channel, with and without the folded zero point."""
    start = (
        np.zeros(len(weights), np.int64) if bias is None or bias.data is None else bias.data.astype(np.int64)
    )
    reach = np.abs(weights).sum(axis=1) * (128 + abs(zero_point))
    return [int(value) for value in np.abs(start.reshape(-1)) + reach]
