"""Weights and multipliers as firmware/nn/conv_block.h and firmware/nn/depthwise_3x3.h describe them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.kernels.channels import Ints, Scaling
from codegen.kernels.layer import Array, groups
from codegen.kernels.packing.lanes import LARGEST_SUM, NotExactError, pair_words
from codegen.kernels.requantize import Multiplier

POSITIONS = 3  # of a block
LARGEST_SHIFT = 20  # the zero point shifted so far still leaves room in 32 bits
CROSSED = (0, 2, 1, 3)  # how widen_crossed leaves four taps

Field = tuple[str, str]


def crossed(taps: Ints) -> Ints:
    """[channels, taps] with each four taps in the order 0 2 1 3, filled with zeros to whole fours."""
    filled = whole(taps)
    fours = filled.reshape(len(filled), -1, 4)[:, :, CROSSED]
    return fours.reshape(filled.shape)


def whole(taps: Ints) -> Ints:
    """[channels, taps], filled with zeros to whole fours."""
    return np.pad(taps, ((0, 0), (0, -taps.shape[1] % 4)))


def block(taps: Ints, scaling: Scaling) -> tuple[str, list[Field], list[Array]]:
    """The kernel's form, the fields and the arrays of a conv_block_t. taps: [channels, multiple of 4]"""
    depth, count = taps.shape
    fields = [("steps", str(count // 4)), ("depth", str(depth))]
    try:
        words = _words(taps, scaling)
    except NotExactError:
        return "general", *_general(taps, scaling, fields)
    whole_pairs = (depth // 2) * (8 + count // 2)
    fields += [
        ("weights", "weights"),
        ("end", f"weights + {whole_pairs}"),
        ("keeps_negative", str(int(scaling.zero_point > -128))),
    ]
    return "", fields, [pair_array(words, depth, count)]


def pair_array(words: Ints, channels: int, taps: int) -> Array:
    """The words of all pairs of channels. taps: of a channel, with those that fill it up"""
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


def depthwise(taps: Ints, scaling: Scaling) -> Array:
    """Words of a depthwise_3x3_t. taps: [channels, line, point]"""
    flat, biases, multipliers = _finished(taps.reshape(len(taps), -1), scaling)
    doubled = (2 * flat).reshape(taps.shape)
    first = (doubled[:, :, 0] & 0xFFFF) | ((doubled[:, :, 1] & 0xFFFF) << 16)
    second = (doubled[:, :, 1] & 0xFFFF) | ((doubled[:, :, 2] & 0xFFFF) << 16)
    out: list[int] = []
    for channel, pairs in enumerate(np.stack([first, second], axis=2).reshape(len(taps), -1).tolist()):
        out += [*pairs, (2 * biases[channel]) & 0xFFFFFFFF]
        out += _requantize(multipliers[channel], scaling.zero_point, 1)
    note = "each channel: taps 0 and 1, taps 1 and 2 of each line; bias; multiplier, add, shift"
    return Array("words", "uint32_t", np.array(out, np.int64), note, groups("channel", 1, len(taps), (6, 4)))


def _finished(taps: Ints, scaling: Scaling) -> tuple[Ints, list[int], list[Multiplier]]:
    """Taps, biases and multipliers that the short requantisation serves."""
    if (scaling.low, scaling.high) != (-128, 127):
        raise NotExactError("the output is clamped within int8")
    if max(scaling.largest) >= LARGEST_SUM:
        raise NotExactError(f"a sum may reach {max(scaling.largest)}")
    taps, biases, multipliers = taps.copy(), list(scaling.biases), list(scaling.multipliers)
    for channel, by in enumerate(multipliers):
        if _vanishes(by, scaling.largest[channel]):  # as a sum of 0 with any multiplier
            taps[channel], biases[channel], multipliers[channel] = 0, 0, Multiplier(1 << 30, -1)
    return taps, biases, multipliers


def _words(taps: Ints, scaling: Scaling) -> Ints:
    taps, biases, multipliers = _finished(taps, scaling)
    if len(taps) % 2:
        taps = np.concatenate([taps, np.zeros((1, taps.shape[1]), np.int64)])
        biases, multipliers = [*biases, 0], [*multipliers, Multiplier(1 << 30, -1)]
    words = pair_words(taps, biases)
    out: list[int] = []
    for pair, row in enumerate(words.tolist()):
        first, second = 2 * pair, 2 * pair + 1
        out += [biases[first] & 0xFFFFFFFF, (biases[first] + 256 * biases[second]) & 0xFFFFFFFF, *row]
        out += _requantize(multipliers[first], scaling.zero_point, 2)
        out += _requantize(multipliers[second], scaling.zero_point, 1)
    return np.array(out, np.int64)


def _vanishes(by: Multiplier, largest: int) -> bool:
    """Every sum is below half a step of the output: it becomes the zero point."""
    return by.value == 0 or (by.right > LARGEST_SHIFT and largest < 1 << (by.right - 1))


def _requantize(by: Multiplier, zero_point: int, times: int) -> Sequence[int]:
    """multiplier, add, shift of one channel. times: the multiplier, as the kernel takes it"""
    if by.left:
        raise NotExactError("a channel's output scale is finer than its sums'")
    if by.right == 0 and zero_point > -128:
        raise NotExactError("a channel's sums are not shifted")
    if by.right > LARGEST_SHIFT:
        raise NotExactError(f"a channel's sums are shifted by {by.right} bits")
    add = (zero_point << by.right) + (1 << by.right >> 1)
    return [(times * by.value) & 0xFFFFFFFF, add & 0xFFFFFFFF, by.right]
