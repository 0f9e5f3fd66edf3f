# SPDX-License-Identifier: Apache-2.0
"""REDUCE_MAX and REDUCE_MIN against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check, layers_of


@dataclass(frozen=True)
class Reduce:
    """A model of one of the two, after a function that makes its input."""

    op: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep: bool = False
    zero_point: int = 3
    output_scale: float = 0.1

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x, made = (model.tensor(self.shape, "int8", 0.1, self.zero_point) for _ in range(2))
        model.operator("LEAKY_RELU", [x], [made], {"alpha": 0.5})
        axes = model.constant(np.array(self.axes, np.int32))
        shape = np.zeros(self.shape).max(axis=self.axes, keepdims=self.keep).shape
        y = model.tensor(shape, "int8", self.output_scale, self.zero_point)
        model.operator(self.op, [made, axes], [y], {"keepDims": self.keep})
        return model.ends([x], [y])


@st.composite
def reductions(draw: st.DrawFn) -> Reduce:
    """Over axes after the batch."""
    shape = (1, *draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    axes = draw(st.sets(st.integers(1, len(shape) - 1), min_size=1))
    signed = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in axes)
    op = draw(st.sampled_from(("REDUCE_MAX", "REDUCE_MIN")))
    return Reduce(op, shape, signed, draw(st.booleans()), draw(st.integers(-128, 127)))


@ONE_BATCH
@given(batches(reductions()))
def test_any_extreme(cases: Batch) -> None:
    check(cases)


FIRST = Reduce("REDUCE_MAX", (1, 5, 4, 6), (1, 2))


def test_on_a_cortex_m4() -> None:
    cases = [FIRST, replace(FIRST, axes=(1, 3), op="REDUCE_MIN"), replace(FIRST, axes=(3,), keep=True)]
    check(cases, target="qemu")


def test_the_largest_is_a_pooling(tmp_path: Path) -> None:
    assert [layer.type for layer in layers_of(FIRST, tmp_path)] == ["table", "pool_2d"]


def test_another_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, output_scale=0.2).build().bytes())
    with pytest.raises(UserError, match="scale"):
        load_graph(path)
