"""Weights, biases and multipliers in the order of the stream kernels, with the proofs that they are exact.

firmware/nn/stream_conv_2d.h describes the words. Two outputs share a word, as a + 256 * b in 16 bits, and the
second's sum is found from the difference of two sums modulo 2^32. That is exact while the sum fits 24 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.requantize import Multiplier

Ints = NDArray[np.int64]

SUM_LIMIT = 1 << 23  # a sum B is within -limit .. limit - 1
LARGEST_SUM = 1 << 30  # |A| is below: room for the zero point in 32 bits
INPUT_LIMIT = 128  # |int8|
DENSE_TAPS = 8  # the dense kernel's loop
SAFE_TAPS = 512  # 512 * 127 * 128 < SUM_LIMIT: a sum of so many products always fits


class NotExactError(Exception):
    """These numbers would not give the reference's bits in the stream kernels; the message says which."""


def pair_words(weights: Ints, biases: Sequence[int]) -> Ints:
    """[channels, taps] -> [channels / 2, taps / 2] words; even counts. NotExactError if a sum may not fit."""
    reach = np.abs(weights).sum(axis=1) * INPUT_LIMIT + np.abs(np.array(biases, np.int64))
    for sums, limit, bits in ((reach[0::2], LARGEST_SUM, 30), (reach[1::2], SUM_LIMIT, 24)):
        if sums.max(initial=0) >= limit:
            raise NotExactError(f"a channel's sum may reach {int(sums.max())}, beyond {bits} bits")
    return lanes(weights)


def lanes(weights: Ints) -> Ints:
    """[channels, taps] -> words [channels / 2, taps / 2]; NotExactError beyond 16 bits."""
    if weights.min(initial=0) < -127:
        raise NotExactError("a weight is -128")
    lanes = (weights[0::2] + 256 * weights[1::2]) & 0xFFFF
    words: Ints = lanes[:, 0::2] | (lanes[:, 1::2] << 16)
    return words


def conv_words(
    weights: Ints,
    biases: Sequence[int],
    multipliers: Sequence[Multiplier],
    zero: int,
    away: bool,
) -> Ints:
    """All words of a stream_conv_2d_t, pair by pair.

    weights: [channels, taps], even and a multiple of 4; multipliers and biases: one a channel
    zero: the zero point of the output, and 128 more where a table follows
    away: values below the zero point are kept
    """
    words = pair_words(weights, biases)
    out: list[int] = []
    for pair, row in enumerate(words.tolist()):
        first, second = 2 * pair, 2 * pair + 1
        out += [biases[first] & 0xFFFFFFFF, (biases[first] + 256 * biases[second]) & 0xFFFFFFFF, *row]
        for channel in (first, second):
            out += _requantize_words(multipliers[channel], zero, away)
    return np.array(out, np.int64)


def _requantize_words(multiplier: Multiplier, zero: int, away: bool) -> list[int]:
    """multiplier, add, shift of one channel."""
    if multiplier.value == 0:
        raise NotExactError("a channel's scale is too small for its output's")
    if multiplier.left:
        raise NotExactError("a channel's output scale is finer than its sums'")
    shift = multiplier.right
    if away and shift == 0:
        raise NotExactError("a channel's sums are not shifted")
    if shift > 20:
        raise NotExactError(f"a channel's sums are shifted by {shift} bits")
    add = (zero << shift) + (1 << shift >> 1)
    return [(2 * multiplier.value) & 0xFFFFFFFF, add & 0xFFFFFFFF, shift]


def dense_words(weights: Ints) -> tuple[Ints, int, int]:
    """[outputs, inputs] -> words of a stream_fully_connected_t, its steps, and how many keep a sum exact.

    The kernel adds biases to whole sums, where they cannot overflow.
    """
    padded = _fours(weights)
    steps = padded.shape[1] // 4
    most = steps if np.abs(padded).sum(axis=1).max() * INPUT_LIMIT < SUM_LIMIT else min(steps, SAFE_TAPS // 4)
    words = lanes(padded)
    fours = words.reshape(len(padded) // 4, 2, steps, 2).transpose(0, 2, 1, 3)
    return fours.reshape(-1), steps, most


def dense_words_int16(weights: Ints) -> tuple[Ints, int]:
    """[outputs, inputs] -> words of a stream_fully_connected_int16_t, and its steps."""
    padded = _fours(weights) & 0xFFFF
    words = padded[:, 0::2] | (padded[:, 1::2] << 16)
    steps = padded.shape[1] // 4
    fours = words.reshape(len(padded) // 4, 4, steps, 2).transpose(0, 2, 1, 3)
    return fours.reshape(-1), steps


def _fours(weights: Ints) -> Ints:
    """Outputs in fours, inputs in DENSE_TAPS, zero-filled."""
    outputs, inputs = weights.shape
    padded = np.zeros((outputs + -outputs % 4, inputs + -inputs % DENSE_TAPS), np.int64)
    padded[:outputs, :inputs] = weights
    return padded
