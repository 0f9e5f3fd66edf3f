# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, positions, steps


@dataclass(frozen=True)
class Pool:
    """A model of one pooling."""

    op: str
    rows: int
    columns: int
    depth: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    activation: str
    step: Step

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(
            (1, self.rows, self.columns, self.depth), "int8", self.step.scale, self.step.zero_point
        )
        count = positions((self.rows, self.columns), self.kernel, self.stride, (1, 1), self.padding)
        y = model.tensor((1, *count, self.depth), "int8", self.step.scale, self.step.zero_point)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "filterHeight": self.kernel[0],
            "filterWidth": self.kernel[1],
            "fusedActivationFunction": ACTIVATIONS[self.activation],
        }
        model.operator(self.op, [x], [y], options)
        return model.ends([x], [y])


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Any pooling that makes an output."""
    kernel = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    padding = draw(st.sampled_from(("same", "valid")))
    least = kernel if padding == "valid" else (1, 1)
    return Pool(
        op=draw(st.sampled_from(("AVERAGE_POOL_2D", "MAX_POOL_2D"))),
        rows=draw(st.integers(least[0], least[0] + 6)),
        columns=draw(st.integers(least[1], least[1] + 6)),
        depth=draw(st.integers(1, 7)),
        kernel=kernel,
        stride=draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        padding=padding,
        activation=draw(st.sampled_from(("none", "none", "relu", "relu6", "relu_n1_to_1"))),
        step=draw(steps()),
    )


@BATCHES
@given(batches(pools()))
def test_any_pooling(cases: Batch) -> None:
    check(cases)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = []
    for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        first = Pool(op, 6, 5, 3, (2, 2), (2, 2), "valid", "none", Step(0.1, -5))
        cases += [first, replace(first, kernel=(3, 4), padding="same"), replace(first, activation="relu")]
        cases += [replace(first, kernel=(6, 5), stride=(1, 1))]
        cases += [replace(first, depth=depth, kernel=(3, 3), padding="same") for depth in (4, 9)]
        cases += [replace(first, depth=depth, activation="relu6") for depth in (4, 5, 8)]
        for columns in (17, 16):  # 255 values, whose sums fit 16 bits, and 256
            rows = 255 // columns + (columns == 16)
            cases += [replace(first, rows=rows, columns=columns, depth=5, kernel=(rows, columns))]
    check(cases, kernels=kernels, target="qemu")
