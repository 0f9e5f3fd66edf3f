# SPDX-License-Identifier: Apache-2.0
"""MEAN against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, steps


@dataclass(frozen=True)
class Mean:
    """A model of one MEAN."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep: bool
    input_: Step
    output: Step

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(self.shape, "int8", self.input_.scale, self.input_.zero_point)
        return model.ends([x], [self.add(model, x)])

    def add(self, model: Builder, x: int) -> int:
        """The operator; its output."""
        axes = model.constant(np.array(self.axes, np.int32))
        shape = np.zeros(self.shape).mean(axis=self.axes, keepdims=self.keep).shape
        y = model.tensor(shape, "int8", self.output.scale, self.output.zero_point)
        model.operator("MEAN", [x, axes], [y], {"keepDims": self.keep})
        return y


@dataclass(frozen=True)
class Between:
    """A MEAN between layers: the compiler knows where its input and its output lie."""

    mean: Mean

    def build(self) -> Builder:
        """The model."""
        model, step = Builder(), self.mean.input_
        x = model.tensor(self.mean.shape, "int8", step.scale, step.zero_point)
        made = model.tensor(self.mean.shape, "int8", step.scale, step.zero_point)
        model.operator("LEAKY_RELU", [x], [made], {"alpha": 0.5})
        y = self.mean.add(model, made)
        step = self.mean.output
        shape = model.graph.tensors[y].shape
        end = model.tensor(shape, "int8", step.scale, step.zero_point)
        model.operator("LEAKY_RELU", [y], [end], {"alpha": 0.5})
        return model.ends([x], [end])


@st.composite
def means(draw: st.DrawFn) -> Mean:
    """Any MEAN over axes after the batch."""
    shape = (1, *draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    axes = draw(st.sets(st.integers(1, len(shape) - 1), min_size=1))
    signed = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in axes)
    input_ = draw(steps())
    ratio = draw(st.sampled_from((1.0, 1.0, 0.3, 2.5, 0.01)))
    output = Step(float(np.float32(input_.scale * ratio)), draw(st.integers(-128, 127)))
    return Mean(shape, signed, draw(st.booleans()), input_, output)


@BATCHES
@given(batches(means()))
def test_any_mean(cases: Batch) -> None:
    check(cases)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    a, b = Step(0.1, 3), Step(0.07, -9)
    cases = [
        Mean((1, 5, 4, 6), (1, 2), False, a, b),
        Mean((1, 5, 4, 6), (1, 3), True, a, b),
        Mean((1, 9), (1,), True, a, a),
        Mean((1, 5, 4, 6), (-1,), False, a, b),
        *(Mean((1, 16, 16, depth), (1, 2), False, a, a) for depth in (1, 3, 4, 7)),  # sums beyond 16 bits
        *(Mean((1, 3, count, 5), (2,), False, a, a) for count in (254, 255, 256)),
    ]
    check(cases, kernels=kernels, target="qemu")


def side_by_side(count: int, rows: int = 72, depth: int = 1) -> Between:
    """A mean over `count` values that lie `depth` apart."""
    return Between(Mean((1, rows, count, depth), (2,), False, Step(0.1, 3), Step(0.1, -9)))


def test_values_side_by_side_between_layers() -> None:
    """GCC 12 took a kernel over 8 of them for one without effect, and dropped its call."""
    counts = (2, 4, 7, 8, 9, 16)
    cases = [side_by_side(count, rows, depth) for rows in (4, 72) for count in counts for depth in (1, 2)]
    for kernels in ("small", "fast"):
        check(cases, kernels=kernels)
