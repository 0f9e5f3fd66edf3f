# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import BATCHES, ONE_BATCH, Batch, batches, check
from tests.support.tflm import need_tflm


@dataclass(frozen=True)
class Resize:
    """A model of one of the two."""

    op: str
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
        model.operator(self.op, [x, size], [y], options)
        return model.ends([x], [y])


NEAREST, BILINEAR = "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"
MODES = ("", "align", "centers")


def resizes(op: str) -> st.SearchStrategy[Resize]:
    """Any size to any size."""
    size = st.integers(1, 12)
    return st.builds(Resize, st.just(op), size, size, st.integers(1, 4), size, size, st.sampled_from(MODES))


@BATCHES
@given(batches(resizes(NEAREST)))
def test_any_size(cases: Batch) -> None:
    check(cases)


@BATCHES
@given(batches(resizes(BILINEAR)))
def test_any_size_between_rows(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(resizes(BILINEAR)))
def test_any_size_between_rows_as_tensorflow_lite_micro_has_it(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


def test_a_spectrogram_made_smaller() -> None:
    """The first layer of TensorFlow's tutorial on audio."""
    check([Resize(BILINEAR, 124, 129, 1, 32, 32, mode) for mode in MODES])


def test_on_a_cortex_m4() -> None:
    sizes = (3, 4, 2, 6, 8)
    check([Resize(op, *sizes, mode) for op in (NEAREST, BILINEAR) for mode in MODES], target="qemu")


def test_places_that_the_reference_reads_beyond_the_input_are_refused(tmp_path: Path) -> None:
    """1999 rounded steps of 2/1024 lead to row 3 of 3."""
    path = tmp_path / "case.tflite"
    path.write_bytes(Resize(BILINEAR, 3, 1, 1, 2000, 1, "").build().bytes())
    with pytest.raises(UserError, match="beyond the last"):
        load_graph(path)


def test_options_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 3, 3, 1), "int8", 0.1, 3)
    size = model.constant(np.array([2, 2], np.int32))
    y = model.tensor((1, 2, 2, 1), "int8", 0.1, 3)
    model.operator(BILINEAR, [x, size], [y], {"alignCorners": True, "halfPixelCenters": True})
    with pytest.raises(UserError, match="both align_corners and half_pixel_centers"):
        load_graph(model.write(tmp_path / "case.tflite", [x], [y]))
