# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX against the reference interpreter and against real exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.ops.softmax import exponentials
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, steps
from tests.support.models_c import ModelsC
from workbench.verify.reference import ReferenceInterpreter


@dataclass(frozen=True)
class Softmax:
    """A model of one SOFTMAX."""

    shape: tuple[int, ...]
    input_: Step
    beta: float
    output: str = "int8"

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor((1, *self.shape), "int8", self.input_.scale, self.input_.zero_point)
        scale, zero_point = (1 / 256, -128) if self.output == "int8" else (1 / 65536, -32768)
        y = model.tensor((1, *self.shape), self.output, scale, zero_point)
        model.operator("SOFTMAX", [x], [y], {"beta": self.beta})
        return model.ends([x], [y])


def softmaxes() -> st.SearchStrategy[Softmax]:
    """Any SOFTMAX, saturated ones and flat ones."""
    shapes = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
    types = st.sampled_from(("int8", "int8", "int16"))
    return st.builds(Softmax, shapes, steps(-9, 1), st.sampled_from((1.0, 1.0, 0.5, 2.0, 0.1)), types)


@BATCHES
@given(batches(softmaxes()))
def test_any_softmax(cases: Batch) -> None:
    check(cases)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    shapes = ((1,), (2,), (4,), (12,), (3, 5))
    scales = (2**-8, 0.02, 0.1, 1.0)
    cases = [Softmax(shape, Step(scale, 5), 1.0) for shape in shapes for scale in scales]
    cases += [Softmax((6,), Step(0.1, 5), 1.0, "int16")]
    check(cases, kernels=kernels, target="qemu")


def test_exponentials_are_exponentials() -> None:
    """The table is exp() within 2^-22."""
    for scale in (0.004, 0.05, 0.3):
        table = np.array(exponentials(scale, 1.0)) / 2**31
        assert np.abs(table - np.exp(-scale * np.arange(len(table)))).max() < 2**-22


@pytest.mark.parametrize("classes", [512, 1000, 4095])
def test_many_classes(classes: int, tmp_path: Path) -> None:
    """Where a sum is below 512 the reference's bits; it ends itself where all scores are the same."""
    case = Softmax((classes,), Step(0.1, 5), 1.0)
    path = case.build().write(tmp_path / "model.tflite", [0], [1])
    rows = np.random.default_rng(classes).integers(-128, 128, (20, 1, classes), dtype=np.int8)
    rows[0], rows[0, 0, 7] = -100, 100
    same = np.full((1, 1, classes), 3, np.int8)
    (found,) = ModelsC([path]).run([np.concatenate([rows, same])[:, 0]])
    with ReferenceInterpreter(path) as reference:
        assert np.array_equal(found[:-1], reference.run(rows[:, 0]))
    assert (found[-1] == -128).all()  # round(256 / classes) is 0, or 1/2 at the most


def test_more_classes_than_the_sum_holds_are_refused(tmp_path: Path) -> None:
    path = Softmax((4096,), Step(0.1, 5), 1.0).build().write(tmp_path / "model.tflite", [0], [1])
    with pytest.raises(UserError, match="4096 classes; 4095 are possible"):
        load_graph(path)
