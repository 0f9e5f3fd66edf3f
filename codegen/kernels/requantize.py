# SPDX-License-Identifier: Apache-2.0
"""The integer arithmetic of TFLite's int8 kernels, exactly: multipliers, rounding, clamping.

The firmware's C (firmware/nn/requantize.h) does the same; here it is done in Python integers, for tables that
are built ahead of time and as the expectation of the tests. Semantics: TFLite's quantisation specification
and its reference kernels in double-rounding mode, which is the mode of TensorFlow Lite Micro; see
docs/exactness.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Quantization, Tensor


@dataclass(frozen=True)
class Multiplier:
    """A positive real number as value * 2^(shift - 31).

    value: 0, or 2^30 .. 2^31 - 1
    shift: -31 .. 31; positive shifts left before the multiplication, negative right after it
    """

    value: int
    shift: int

    @property
    def left(self) -> int:
        """Bits to shift left before the multiplication."""
        return max(self.shift, 0)

    @property
    def right(self) -> int:
        """Bits to shift right, rounding, after it."""
        return max(-self.shift, 0)


def quantize_multiplier(real: float) -> Multiplier:
    """The nearest Multiplier, halves away from zero; 0 below 2^-32. real: from 0, below 2^31

    codegen.ops.bounds keeps those of a model's layers within what the kernels compute.
    """
    if not 0.0 <= real < 1 << 31:
        raise ValueError(f"a multiplier of {real}")
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    value = math.floor(fraction * (1 << 31) + 0.5)  # exact: the sum needs at most 53 bits
    if value == 1 << 31:
        value >>= 1
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    return Multiplier(value, shift)


def wrap32(value: int) -> int:
    """The low 32 bits as a signed number: what an int32 addition leaves."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def high_multiply(a: int, b: int) -> int:
    """round(a * b / 2^31), halves up; saturates for the one product that does not fit (both -2^31)."""
    if a == b == -(1 << 31):
        return (1 << 31) - 1
    return (a * b + (1 << 30)) >> 31


def rounding_shift(value: int, bits: int) -> int:
    """round(value / 2^bits), halves away from zero."""
    if bits == 0:
        return value
    return (value + (1 << (bits - 1)) - (1 if value < 0 else 0)) >> bits


def multiply(value: int, by: Multiplier) -> int:
    """value * by, rounded twice: MultiplyByQuantizedMultiplier of the reference."""
    return rounding_shift(high_multiply(wrap32(value << by.left), by.value), by.right)


def multiply_each(values: NDArray[np.int64], by: Multiplier) -> NDArray[np.int64]:
    """multiply() of many values that << by.left does not take out of 32 bits."""
    high = ((values << by.left) * by.value + (1 << 30)) >> 31
    if by.right == 0:
        return high
    return (high + (1 << (by.right - 1)) - (high < 0)) >> by.right


def clamp(value: int, low: int, high: int) -> int:
    """The nearest number in low..high."""
    return max(low, min(high, value))


def float32(value: float) -> float:
    """Rounded to float32, as the C++ kernels hold it."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def quantization(tensor: Tensor) -> Quantization:
    """The tensor's quantization, which legalise has seen to be there."""
    if tensor.quantization is None:
        raise ValueError(f"tensor {tensor.index} is not quantized")
    return tensor.quantization


def channel_multipliers(input_: Tensor, weights: Tensor, output: Tensor, channels: int) -> list[Multiplier]:
    """One a channel, from double products, as convolutions (and per-channel dense layers) compute them."""
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    scales = quantization(weights).scales
    if len(scales) == 1:
        scales *= channels
    return [quantize_multiplier(scale_in * scale / scale_out) for scale in scales]


def dense_multipliers(input_: Tensor, weights: Tensor, output: Tensor, outputs: int) -> list[Multiplier]:
    """Of a dense layer on the device, one an output: as for convolutions, but where one scale serves all
    weights its product with the input's is rounded to float32."""
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    scales = quantization(weights).scales
    if len(scales) > 1:
        return [quantize_multiplier(scale_in * scale / scale_out) for scale in scales]
    return [quantize_multiplier(float32(scale_in * scales[0]) / scale_out)] * outputs


def activation_range(output: Tensor, activation: str) -> tuple[int, int]:
    """The output's clamp, with a fused activation: float32 division, rounded half away from zero."""
    limits = np.iinfo(output.dtype)
    low, high = int(limits.min), int(limits.max)
    params = quantization(output)

    def level(real: float) -> int:
        steps = float(np.float32(real) / np.float32(params.scale))
        return params.zero_point + int(math.copysign(math.floor(abs(steps) + 0.5), steps))

    if activation == "relu":
        return max(low, level(0.0)), high
    if activation == "relu6":
        return max(low, level(0.0)), min(high, level(6.0))
    if activation == "relu_n1_to_1":
        return max(low, level(-1.0)), min(high, level(1.0))
    return low, high
