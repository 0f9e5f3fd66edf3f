# SPDX-License-Identifier: Apache-2.0
"""Two outputs a word, with the proof that this is exact.

firmware/nn/conv_block.h describes it: a 16-bit lane holds a + 256 * b, the weights of two outputs at one tap.
With A = sum a * x and C = sum (a + 256 * b) * x, both modulo 2^32, the second's sum is B = (C - A) >> 8. That
is exact while B fits 24 bits; A has 32, of which requantisation leaves 30 (codegen/kernels/limits.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.limits import INPUT_LIMIT, LARGEST_SUM, LARGEST_WEIGHT, PAIR_SUM_LIMIT

Ints = NDArray[np.int64]


class NotExactError(Exception):
    """These numbers would not give the reference's bits in a packed kernel; the message says which."""


def lanes(weights: Ints) -> Ints:
    """[outputs, taps], both even -> words [outputs / 2, taps / 2]; NotExactError beyond 16 bits."""
    if weights.min(initial=0) < -LARGEST_WEIGHT:
        raise NotExactError("a weight is -128")
    joined = (weights[0::2] + 256 * weights[1::2]) & 0xFFFF
    words: Ints = joined[:, 0::2] | (joined[:, 1::2] << 16)
    return words


def pair_words(weights: Ints, biases: Sequence[int]) -> Ints:
    """The same with sums that start at the biases. NotExactError if a sum may not fit."""
    reach = np.abs(weights).sum(axis=1) * INPUT_LIMIT + np.abs(np.array(biases, np.int64))
    for sums, limit, bits in ((reach[0::2], LARGEST_SUM, 30), (reach[1::2], PAIR_SUM_LIMIT, 24)):
        if sums.max(initial=0) >= limit:
            raise NotExactError(f"a channel's sum may reach {int(sums.max())}, beyond {bits} bits")
    return lanes(weights)


def int16_words(weights: Ints) -> Ints:
    """[outputs, taps] -> words [outputs, taps / 2]: two taps of one output a word."""
    halves = weights & 0xFFFF
    words: Ints = halves[:, 0::2] | (halves[:, 1::2] << 16)
    return words


def filled(weights: Ints, outputs: int, taps: int) -> Ints:
    """[outputs, taps], filled with zeros to multiples."""
    rows, columns = weights.shape
    return np.pad(weights, ((0, -rows % outputs), (0, -columns % taps)))
