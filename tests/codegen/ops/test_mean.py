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
        axes = model.constant(np.array(self.axes, np.int32))
        shape = np.zeros(self.shape).mean(axis=self.axes, keepdims=self.keep).shape
        y = model.tensor(shape, "int8", self.output.scale, self.output.zero_point)
        model.operator("MEAN", [x, axes], [y], {"keepDims": self.keep})
        return model.ends([x], [y])


@st.composite
def means(draw: st.DrawFn) -> Mean:
    """Any MEAN over axes behind the batch."""
    shape = (1, *draw(st.lists(st.integers(1, 7), min_size=1, max_size=3)))
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
    ]
    check(cases, kernels=kernels, target="qemu")
