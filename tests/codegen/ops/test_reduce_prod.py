# SPDX-License-Identifier: Apache-2.0
"""REDUCE_PROD against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, steps


@dataclass(frozen=True)
class Product:
    """A model of one REDUCE_PROD. output: its scale as that of a factor of the product"""

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
        shape = np.zeros(self.shape).max(axis=self.axes, keepdims=self.keep).shape
        scale = float(np.float32(self.output.scale ** (np.prod(self.shape) // max(1, int(np.prod(shape))))))
        y = model.tensor(shape, "int8", scale, self.output.zero_point)
        model.operator("REDUCE_PROD", [x, axes], [y], {"keepDims": self.keep})
        return model.ends([x], [y])


@st.composite
def products(draw: st.DrawFn) -> Product:
    """Of up to eight values; large and small ones, as the scales have them."""
    shape = (1, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    axes = draw(st.sets(st.integers(1, len(shape) - 1), min_size=1))
    while np.prod([shape[axis] for axis in axes]) > 8:
        axes = set(sorted(axes)[:-1])
    input_ = draw(steps(-7, -4))
    return Product(
        shape,
        tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in sorted(axes)),
        draw(st.booleans()),
        input_,
        Step(input_.scale * draw(st.floats(100, 300)), draw(st.integers(-128, 127))),
    )


@BATCHES
@given(batches(products()))
def test_any_product(cases: Batch) -> None:
    check(cases)


def test_on_a_cortex_m4() -> None:
    cases = [
        Product((1, 5, 4, 6), axes, keep, Step(0.02, 3), Step(5.0, -4))
        for axes, keep in (((1,), False), ((1, 3), True), ((3,), True))
    ]
    check(cases, target="qemu")


def test_products_beyond_32_bits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(Product((1, 9), (1,), False, Step(1.0, 0), Step(1.0, 0)).build().bytes())
    with pytest.raises(UserError, match="its products reach"):
        load_graph(path)
