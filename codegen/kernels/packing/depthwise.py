# SPDX-License-Identifier: Apache-2.0
"""Weights and multipliers of depthwise convolutions: firmware/nn/depthwise_3x3.h, _window.h and _lines.h."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.kernels.channels import Ints, Scaling
from codegen.kernels.layer import Array, Group, groups
from codegen.kernels.packing.conv import finished, requantize_words

FOUR = 4  # channels that depthwise_window and depthwise_lines take together


def threes(taps: Ints, scaling: Scaling) -> Array:
    """Words of a depthwise_3x3_t. NotExactError where it would not be exact. taps: [channels, line, point]"""
    channels = finished(taps.reshape(len(taps), -1), scaling)
    doubled = (2 * channels.taps).reshape(taps.shape)
    first = _pairs(doubled[:, :, 0], doubled[:, :, 1])
    second = _pairs(doubled[:, :, 1], doubled[:, :, 2])
    out: list[int] = []
    for channel, pairs in enumerate(np.stack([first, second], axis=2).reshape(len(taps), -1).tolist()):
        out += [*pairs, (2 * channels.biases[channel]) & 0xFFFFFFFF]
        out += requantize_words(channels.multipliers[channel], scaling.zero_point, scaling.keeps_negative, 1)
    note = "each channel: taps 0 and 1, taps 1 and 2 of each line; bias; multiplier, add, shift"
    return Array("words", "uint32_t", np.array(out, np.int64), note, groups("channel", 1, len(taps), (6, 4)))


def _pairs(low: Ints, high: Ints) -> Ints:
    return np.asarray((low & 0xFFFF) | ((high & 0xFFFF) << 16))


def fours(runs: Sequence[Ints], scaling: Scaling) -> Array:
    """Words of a depthwise_window_t or depthwise_lines_t. NotExactError where it would not be exact.

    runs: taps that lie one after the other, [channels, points] each
    """
    channels = finished(np.concatenate(runs, axis=1), scaling)
    parted = np.split(channels.taps, np.cumsum([run.shape[1] for run in runs])[:-1], axis=1)
    depth, points = channels.taps.shape
    out: list[int] = []
    found: list[Group] = []
    for after in range(FOUR, depth + FOUR, FOUR):
        first = min(after, depth) - FOUR
        four = range(first, first + FOUR)
        out += [channels.biases[channel] & 0xFFFFFFFF for channel in four]
        weights = [word for run in parted for word in _four_weights(run[first : first + FOUR])]
        out += weights
        for channel in four:
            by = channels.multipliers[channel]
            out += requantize_words(by, scaling.zero_point, scaling.keeps_negative, 2)
        found.append(Group(f"channels {first} .. {first + 3}", (FOUR, len(weights), 3 * FOUR)))
    note = f"four channels: biases; {points} taps, two of each channel side by side; multiplier, add, shift"
    return Array("words", "uint32_t", np.array(out, np.int64), note, found)


def _four_weights(taps: Ints) -> list[int]:
    """Words of four channels' taps. taps: [4, points]"""
    whole = taps.shape[1] // 2 * 2
    pairs = taps[:, :whole].reshape(2, 2, -1, 2)  # channels 0 1 or 2 3, which of them, pair, which point
    joined = [pairs.transpose(2, 0, 3, 1).reshape(-1), taps[:, whole:].T.reshape(-1)]
    return [int(word) for word in np.concatenate(joined).astype("<i1").view("<u4")]
