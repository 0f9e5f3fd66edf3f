# SPDX-License-Identifier: Apache-2.0
"""Convolutions in groups against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, positions, steps


@dataclass(frozen=True)
class Grouped:
    """A model of one CONV_2D. channels, filters: of each group"""

    sizes: tuple[int, int]
    taps: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    groups: int
    channels: int
    filters: int
    per_channel: bool
    input_: Step
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        depth = self.groups * self.filters
        shape = (1, *self.sizes, self.groups * self.channels)
        x = model.tensor(shape, "int8", self.input_.scale, self.input_.zero_point)
        weights = random.integers(-127, 128, (depth, *self.taps, self.channels), dtype=np.int8)
        scales = (2.0 ** random.uniform(-9, -6, depth if self.per_channel else 1)).astype(np.float32)
        operands = [x, model.constant(weights, scales.tolist())]
        values = random.integers(-5000, 5000, depth).astype(np.int32)
        operands.append(model.constant(values, (scales * np.float32(self.input_.scale)).tolist()))
        places = positions(self.sizes, self.taps, self.stride, (1, 1), self.padding)
        y = model.tensor((1, *places, depth), "int8", float(np.float32(self.input_.scale)), 3)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "dilationHFactor": 1,
            "dilationWFactor": 1,
            "fusedActivationFunction": ACTIVATIONS["relu"],
        }
        model.operator("CONV_2D", operands, [y], options)
        return model.ends([x], [y])


@st.composite
def grouped(draw: st.DrawFn) -> Grouped:
    """Two to four groups."""
    taps = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return Grouped(
        sizes=(taps[0] + draw(st.integers(0, 4)), taps[1] + draw(st.integers(0, 4))),
        taps=taps,
        stride=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        padding=draw(st.sampled_from(("same", "valid"))),
        groups=draw(st.integers(2, 4)),
        channels=draw(st.integers(1, 3)),
        filters=draw(st.integers(1, 3)),
        per_channel=draw(st.booleans()),
        input_=draw(steps(-5, -1)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@ONE_BATCH
@given(batches(grouped()))
def test_any_convolution_in_groups(cases: Batch) -> None:
    check(cases)
