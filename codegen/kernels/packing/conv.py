# SPDX-License-Identifier: Apache-2.0
"""Weights and multipliers of convolutions: firmware/nn/conv_block.h and stream_conv_2d.h.

A convolution over the whole input and one over a stream have the same words, pair of channels by pair. They
differ in what they multiply the second channel's sum with, and in the channel that fills up an odd number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codegen.kernels.channels import Ints, Scaling
from codegen.kernels.layer import Array, groups
from codegen.kernels.limits import LARGEST_SHIFT, LARGEST_SUM
from codegen.kernels.packing.lanes import NotExactError, filled, pair_words
from codegen.kernels.requantize import Multiplier

POSITIONS = 3  # of a block
CROSSED = (0, 2, 1, 3)  # how widen_crossed leaves four taps
HALF = Multiplier(1 << 30, -1)  # of a channel whose sums are all 0

Field = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Channels:
    """taps: [channels, taps]; biases, multipliers: one a channel."""

    taps: Ints
    biases: Sequence[int]
    multipliers: Sequence[Multiplier]

    def even(self, spare: Multiplier) -> Channels:
        """With taps in whole fours, and a channel of zeros and this multiplier where their number is odd."""
        odd = len(self.taps) % 2
        biases, multipliers = [*self.biases, *[0] * odd], [*self.multipliers, *[spare] * odd]
        return Channels(filled(self.taps, 2, 4), biases, multipliers)


# --- the two forms of a pair of channels ---


@dataclass(frozen=True, eq=False)
class Block:
    """form: of the kernel; fields, arrays: of a conv_block_t; general: why that form, "" for the fast one"""

    form: str
    fields: list[Field]
    arrays: list[Array]
    general: str = ""


def block(taps: Ints, scaling: Scaling) -> Block:
    """What a convolution's block of three positions reads. taps: [channels, multiple of 4]

    In the fast form the outputs are clamped to int8 alone.
    """
    depth, count = taps.shape
    fields = [("steps", str(count // 4)), ("depth", str(depth))]
    keeps_negative = scaling.keeps_negative
    try:
        channels = finished(taps, scaling).even(HALF)
        words = _words(channels, scaling.zero_point, keeps_negative, doubled=(2, 1))
    except NotExactError as error:
        return Block("general", *_general(taps, scaling, fields), str(error))
    whole_pairs = (depth // 2) * (8 + count // 2)
    fields += [
        ("weights", "weights"),
        ("end", f"weights + {whole_pairs}"),
        ("keeps_negative", str(int(keeps_negative))),
    ]
    return Block("", fields, [_array(words, depth, count)])


def stream_array(channels: Channels, zero: int, keeps_negative: bool) -> Array:
    """All words of a stream_conv_2d_t. NotExactError where that kernel would not be exact.

    zero: the zero point of the output, and 128 more where a table follows
    keeps_negative: values below the zero point are kept
    """
    if any(by.value == 0 for by in channels.multipliers):
        raise NotExactError("a channel's scale is too small for its output's")
    even = channels.even(channels.multipliers[-1])
    words = _words(even, zero, keeps_negative, doubled=(2, 2))
    return _array(words, len(channels.taps), even.taps.shape[1])


def _words(channels: Channels, zero: int, keeps_negative: bool, doubled: tuple[int, int]) -> Ints:
    """doubled: what each of a pair's multipliers is taken times, as the kernel wants it."""
    biases = channels.biases
    out: list[int] = []
    for first, row in enumerate(pair_words(channels.taps, biases).tolist()):
        a, b = 2 * first, 2 * first + 1
        out += [biases[a] & 0xFFFFFFFF, (biases[a] + 256 * biases[b]) & 0xFFFFFFFF, *row]
        for channel, times in zip((a, b), doubled, strict=True):
            out += requantize_words(channels.multipliers[channel], zero, keeps_negative, times)
    return np.array(out, np.int64)


def _array(words: Ints, channels: int, taps: int) -> Array:
    """taps: of a channel, with those that fill it up."""
    note = (
        f"each pair: starts; {taps} taps of both as a + 256 * b, two a word; multiplier, add, shift of each"
    )
    return Array("weights", "uint32_t", words, note, groups("channel", 2, channels, (2, taps // 2, 6)))


def _general(taps: Ints, scaling: Scaling, fields: list[Field]) -> tuple[list[Field], list[Array]]:
    fields = [
        *fields,
        ("taps", "taps"),
        ("channels", "channels"),
        ("zero_point", str(scaling.zero_point)),
        ("low", str(scaling.low)),
        ("high", str(scaling.high)),
    ]
    return fields, [Array("taps", "int8_t", taps.reshape(-1), "channel by channel"), scaling.array()]


# --- taps and multipliers ---


def crossed(taps: Ints) -> Ints:
    """[channels, taps] with each four taps in the order 0 2 1 3, filled with zeros to whole fours."""
    whole_fours = whole(taps)
    fours = whole_fours.reshape(len(taps), -1, 4)[:, :, CROSSED]
    return fours.reshape(whole_fours.shape)


def whole(taps: Ints) -> Ints:
    """[channels, taps], filled with zeros to whole fours."""
    return filled(taps, 1, 4)


def finished(taps: Ints, scaling: Scaling) -> Channels:
    """Channels that the short requantisation serves, up to a clamp within int8."""
    if max(scaling.largest) >= LARGEST_SUM:
        raise NotExactError(f"a sum may reach {max(scaling.largest)}")
    taps, biases, multipliers = taps.copy(), list(scaling.biases), list(scaling.multipliers)
    for channel, by in enumerate(multipliers):
        if _vanishes(by, scaling.largest[channel]):  # as a sum of 0 with any multiplier
            taps[channel], biases[channel], multipliers[channel] = 0, 0, HALF
    return Channels(taps, biases, multipliers)


def _vanishes(by: Multiplier, largest: int) -> bool:
    """Every sum is below half a step of the output: it becomes the zero point."""
    return by.value == 0 or (by.right > LARGEST_SHIFT and largest < 1 << (by.right - 1))


def requantize_words(by: Multiplier, zero: int, keeps_negative: bool, times: int) -> list[int]:
    """multiplier, add, shift of one channel. times: the multiplier, as the kernel takes it"""
    if by.left:
        raise NotExactError("a channel's output scale is finer than its sums'")
    if by.right == 0 and keeps_negative:
        raise NotExactError("a channel's sums are not shifted")
    if by.right > LARGEST_SHIFT:
        raise NotExactError(f"a channel's sums are shifted by {by.right} bits")
    add = (zero << by.right) + (1 << by.right >> 1)
    return [(times * by.value) & 0xFFFFFFFF, add & 0xFFFFFFFF, by.right]
