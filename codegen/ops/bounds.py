# SPDX-License-Identifier: Apache-2.0
"""How far apart a layer's scales may lie: the one place where that is derived.

A kernel multiplies an accumulator by the ratio of two scales, in 32 bits, as the reference does. The result,
and what is shifted left on the way to it (less than twice the result), stay within 32 bits where

    largest accumulator * ratio <= 2^30;

the zero point then fits too, and no shift is longer than 30 places. Beyond it the reference's C is undefined.
Downwards there is no bound: below 2^-32 every result is 0, in the reference too. Trained models keep far from
both: their results fill the 256 steps of an int8.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from codegen.kernels.requantize import float32, quantization
from codegen.model.graph import Tensor
from codegen.ops.family import Fault

LARGEST = 1 << 30  # of a result, before the zero point is added and the type clamps it
ACCUMULATOR = 1 << 31  # a sum wraps there
BYTE = 255  # the largest difference of an int8 or uint8 to its zero point
WORD = 65535  # the same of an int16
SCALES = "a scale in the file makes no sense: convert the model again, with samples of real inputs"
LEVELS = {"relu6": 6.0, "relu_n1_to_1": 1.0}  # the largest real number at which a fused activation clamps


def check_ratio(
    ratio: float, largest: int, what: str = "the ratio of its input's scale to its output's"
) -> Iterator[Fault]:
    """ratio: what an accumulator of up to `largest` is multiplied by."""
    most = LARGEST / max(1, min(largest, ACCUMULATOR))
    if not abs(ratio) <= most:
        yield Fault(f"{what} is {ratio:.3g}; results stay within 32 bits up to {most:.3g}", SCALES)


def check_channels(
    input_: Tensor, weights: Tensor, output: Tensor, largest: Iterable[int]
) -> Iterator[Fault]:
    """Of a convolution or dense layer: the first channel of too large a ratio. largest: sums, by channel"""
    sums = list(largest)
    scales = quantization(weights).scales
    scales = scales * len(sums) if len(scales) == 1 else scales
    for channel, (scale, most) in enumerate(zip(scales, sums, strict=True)):
        ratio = quantization(input_).scale * scale / quantization(output).scale
        what = f"the ratio of its input's and weights' scale to its output's, of channel {channel},"
        for fault in check_ratio(ratio, most, what):
            yield fault
            return


def check_level(real: float, output: Tensor, what: str) -> Iterator[Fault]:
    """A real number at which an activation clamps, as a step of the output."""
    with np.errstate(over="ignore"):
        step = abs(float32(float(np.float32(real) / np.float32(quantization(output).scale))))
    if not step <= LARGEST:
        yield Fault(
            f"{what} at {real:g} is {step:.3g} steps of the tensor's scale; {LARGEST:.3g} are possible",
            SCALES,
        )


def check_range(output: Tensor, activation: str) -> Iterator[Fault]:
    """Where the fused activation clamps."""
    if activation in LEVELS:
        yield from check_level(LEVELS[activation], output, f"its activation {activation}")


def check_shift(real: float, least: int, most: int, what: str) -> Iterator[Fault]:
    """A multiplier that the reference holds as a fraction and a shift of least .. most places."""
    shift = math.frexp(real)[1] if math.isfinite(real) and real > 0 else None
    if shift is None or not least <= shift <= most:
        yield Fault(f"{what} is {real:.3g}; the operator is defined from 2^{least - 1} to 2^{most}", SCALES)
