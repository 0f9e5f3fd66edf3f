# SPDX-License-Identifier: Apache-2.0
"""Random networks computed in full: what shares memory, works in place or is joined must not show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import BATCHES, Batch, batches, check

NONE = {"fusedActivationFunction": ACTIVATIONS["none"]}
MOST_VALUES = 4096  # of a tensor


@dataclass(frozen=True)
class Picture:
    """A tensor [1, *shape]."""

    index: int
    shape: tuple[int, int, int]
    scale: float


@dataclass(frozen=True)
class Chain:
    """A network of `length` layers: mostly each reads the newest tensor, some an older one too."""

    seed: int
    length: int = 7

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        random = np.random.default_rng(self.seed)
        shape = (int(random.choice([1, 1, 2, 5])), int(random.integers(1, 14)), int(random.integers(1, 9)))
        first = Picture(model.tensor((1, *shape), "int8", 0.1, int(random.integers(-128, 128))), shape, 0.1)
        made = [first]
        for _ in range(self.length):
            made.append(_layer(model, random, made))
        return model.ends([first.index], [made[-1].index])


def _next(model: Builder, random: np.random.Generator, shape: tuple[int, ...], scale: float) -> Picture:
    rows, columns, depth = shape
    zero_point = -128 if random.integers(2) else int(random.integers(-60, 60))
    index = model.tensor((1, *shape), "int8", float(np.float32(scale)), zero_point)
    return Picture(index, (rows, columns, depth), scale)


def _layer(model: Builder, random: np.random.Generator, made: list[Picture]) -> Picture:
    source = made[-1]
    alike = [other for other in made[:-1] if other.shape == source.shape]
    kind = random.integers(8)
    if kind < 3:
        return _any_convolution(model, random, source, (1, 1))
    if kind == 3:
        return _any_convolution(
            model, random, source, (int(random.integers(1, 4)), int(random.integers(1, 4)))
        )
    if kind == 4:
        return _depthwise(model, random, source)
    if kind == 5 and alike:
        y = _next(model, random, source.shape, 1.2 * source.scale)
        model.operator("ADD", [source.index, alike[random.integers(len(alike))].index], [y.index], NONE)
        return y
    if kind == 6:
        y = _next(model, random, source.shape, source.scale)
        model.operator("LEAKY_RELU", [source.index], [y.index], {"alpha": 0.25})
        return y
    rows, columns, depth = source.shape
    shape = [(1, rows * columns, depth), (rows * columns, 1, depth), (columns, rows, depth)][
        random.integers(3)
    ]
    zero_point = model.graph.tensors[source.index].quantization.zeroPoint[0]
    y = replace(source, index=model.tensor((1, *shape), "int8", source.scale, zero_point), shape=shape)
    model.operator("RESHAPE", [source.index, model.constant(np.array([1, *shape], np.int32))], [y.index])
    return y


def _any_convolution(
    model: Builder, random: np.random.Generator, source: Picture, kernel: tuple[int, int]
) -> Picture:
    """Deeper or shallower, of stride 1 or 2."""
    rows, columns, _ = source.shape
    depth = min(max(1, MOST_VALUES // (rows * columns)), int(random.choice([1, 4, 6, 8, 16, 24])))
    return _convolution(model, random, source, kernel, (depth, int(random.choice([1, 1, 1, 2]))))


def _convolution(
    model: Builder,
    random: np.random.Generator,
    source: Picture,
    kernel: tuple[int, int],
    made: tuple[int, int],
) -> Picture:
    """CONV_2D. made: channels, stride"""
    rows, columns, depth = source.shape
    out, stride = made
    w = model.constant(random.integers(-127, 128, (out, *kernel, depth), np.int8), [0.01] * out)
    b = model.constant(random.integers(-999, 999, out).astype(np.int32), [source.scale * 0.01] * out)
    sums = 0.01 * 74 * np.sqrt(depth * kernel[0] * kernel[1])
    y = _next(model, random, (-(-rows // stride), -(-columns // stride), out), source.scale * sums)
    options = {"padding": PADDINGS["same"], "strideH": stride, "strideW": stride, **NONE}
    dilations = {"dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [source.index, w, b], [y.index], options | dilations)
    return y


def _depthwise(model: Builder, random: np.random.Generator, source: Picture) -> Picture:
    """DEPTHWISE_CONV_2D of 3 x 3."""
    depth = source.shape[2]
    w = model.constant(random.integers(-127, 128, (1, 3, 3, depth), np.int8), [0.01] * depth, axis=3)
    b = model.constant(random.integers(-999, 999, depth).astype(np.int32), [source.scale * 0.01] * depth)
    y = _next(model, random, source.shape, source.scale * 2)
    options = {"padding": PADDINGS["same"], "strideH": 1, "strideW": 1, "depthMultiplier": 1, **NONE}
    dilations = {"dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("DEPTHWISE_CONV_2D", [source.index, w, b], [y.index], options | dilations)
    return y


@BATCHES
@given(batches(st.builds(Chain, st.integers(0, 2**32 - 1))))
def test_any_chain(cases: Batch) -> None:
    check(cases)


@dataclass(frozen=True)
class Narrowed:
    """One row, narrowed and then widened in the place of the first, larger tensor, by one tap each."""

    def build(self) -> Builder:
        """The model."""
        model, random = Builder(), np.random.default_rng(1)
        shape = (1, 12, 8)
        newest = first = Picture(model.tensor((1, *shape), "int8", 0.1, 0), shape, 0.1)
        for depth in (32, 8, 16, 4):
            newest = _convolution(model, random, newest, (1, 1), (depth, 1))
        return model.ends([first.index], [newest.index])


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    check([Narrowed(), *(Chain(seed) for seed in range(12))], kernels=kernels, target="qemu")
