"""Weights, biases and multipliers of convolutions and dense layers in the kernels' order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codegen.graph import Tensor
from codegen.layer import Array
from codegen.quantize import Multiplier, wrap32

Ints = NDArray[np.int64]


def pair_weights(weights: Ints) -> Array:
    """[channels, products] -> pairs of channels, four products of one, four of the other; zero-filled."""
    channels, products = weights.shape
    padded = np.zeros((channels + channels % 2, products + -products % 4), dtype=np.int64)
    padded[:channels, :products] = weights
    pairs = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 4, 4).transpose(0, 2, 1, 3)
    return Array("weights", "int8_t", pairs.reshape(-1), "four of a channel, four of the next, pair by pair")


def folded_bias(weights: Ints, bias: Tensor | None, zero_point: int) -> list[int]:
    """bias - zero_point * sum(weights), one a channel, modulo 2^32 like the accumulator."""
    start = (
        np.zeros(len(weights), np.int64) if bias is None or bias.data is None else bias.data.astype(np.int64)
    )
    sums = weights.sum(axis=1)
    return [wrap32(int(b) - zero_point * int(s)) for b, s in zip(start.reshape(-1), sums, strict=True)]


def channel_array(biases: list[int], multipliers: list[Multiplier]) -> Array:
    """requantize_t of every channel."""
    rows = [[b, m.value, m.left, m.right] for b, m in zip(biases, multipliers, strict=True)]
    return Array("channels", "requantize_t", np.array(rows, dtype=np.int64), "bias, multiplier, left, right")
