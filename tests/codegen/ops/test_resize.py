# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, batches, check


@dataclass(frozen=True)
class Resize:
    """A model of one RESIZE_NEAREST_NEIGHBOR."""

    rows: int
    columns: int
    depth: int
    new_rows: int
    new_columns: int
    mode: str  # "", "align" or "centers"

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor((1, self.rows, self.columns, self.depth), "int8", 0.1, 3)
        size = model.constant(np.array([self.new_rows, self.new_columns], np.int32))
        y = model.tensor((1, self.new_rows, self.new_columns, self.depth), "int8", 0.1, 3)
        options = {"alignCorners": self.mode == "align", "halfPixelCenters": self.mode == "centers"}
        model.operator("RESIZE_NEAREST_NEIGHBOR", [x, size], [y], options)
        return model.ends([x], [y])


def resizes() -> st.SearchStrategy[Resize]:
    """Any size to any size."""
    size = st.integers(1, 12)
    return st.builds(
        Resize, size, size, st.integers(1, 4), size, size, st.sampled_from(("", "align", "centers"))
    )


@BATCHES
@given(batches(resizes()))
def test_any_size(cases: Batch) -> None:
    check(cases)


def test_on_a_cortex_m4() -> None:
    check([Resize(3, 4, 2, 6, 8, mode) for mode in ("", "align", "centers")], target="qemu")
