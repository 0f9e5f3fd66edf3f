# SPDX-License-Identifier: Apache-2.0
"""L2_NORMALIZATION against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check


@dataclass(frozen=True)
class Normalised:
    """A model of one; after a function whose slope makes some of its vectors short."""

    shape: tuple[int, ...]
    zero_point: int
    slope: float = 0.01
    scale: float = 1 / 128

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x, made = (model.tensor(self.shape, "int8", 0.1, self.zero_point) for _ in range(2))
        model.operator("LEAKY_RELU", [x], [made], {"alpha": self.slope})
        y = model.tensor(self.shape, "int8", self.scale, 0)
        model.operator("L2_NORMALIZATION", [made], [y], {"fusedActivationFunction": 0})
        return model.ends([x], [y])


SHAPES = st.lists(st.integers(1, 40), min_size=1, max_size=2).map(lambda sizes: (1, *sizes))
NORMALISED = st.builds(Normalised, SHAPES, st.integers(-128, 127), st.sampled_from((0.0, 0.01, 0.1, 1.0)))


@ONE_BATCH
@given(batches(NORMALISED))
def test_any_normalisation(cases: Batch) -> None:
    check(cases)
    check(cases[::4], reference=Reference.TFLM)


FIRST = Normalised((1, 3, 9), 5)


def test_on_a_cortex_m4() -> None:
    check([FIRST, replace(FIRST, zero_point=127), replace(FIRST, shape=(1, 300))], target="qemu")


def test_another_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, scale=0.01).build().bytes())
    with pytest.raises(UserError, match="1/128"):
        load_graph(path)
