# SPDX-License-Identifier: Apache-2.0
"""LOG_SOFTMAX against both reference interpreters and against real logarithms."""

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
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, steps
from tests.support.models_c import ModelsC
from tests.support.tflm import need_tflm

OUTPUT = Step(1 / 16, 127)  # that the operator demands


@dataclass(frozen=True)
class LogSoftmax:
    """A model of one LOG_SOFTMAX."""

    shape: tuple[int, ...]
    input: Step
    output: Step = OUTPUT

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor((1, *self.shape), "int8", self.input.scale, self.input.zero_point)
        y = model.tensor((1, *self.shape), "int8", self.output.scale, self.output.zero_point)
        model.operator("LOG_SOFTMAX", [x], [y])
        return model.ends([x], [y])


def log_softmaxes() -> st.SearchStrategy[LogSoftmax]:
    """Any LOG_SOFTMAX, steep ones and flat ones."""
    shapes = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
    return st.builds(LogSoftmax, shapes, steps(-9, 1))


# Sums of the exponentials up to the largest, and differences that wrap in 32 bits beyond the table
EDGES = [LogSoftmax((classes,), Step(1e-6, 0)) for classes in (1, 2, 3, 7, 300, 4095)] + [
    LogSoftmax((5,), Step(scale, 3)) for scale in (0.124, 1.0, 31.0, 1000.0)
]


@ONE_BATCH
@given(batches(log_softmaxes()))
def test_any_log_softmax(cases: Batch) -> None:
    check([*cases, *EDGES])


@ONE_BATCH
@given(batches(log_softmaxes(), size=24))
def test_any_log_softmax_of_tflm(cases: Batch) -> None:
    need_tflm()
    check([*cases, *EDGES], reference=Reference.TFLM)


def test_on_a_cortex_m4() -> None:
    cases = [LogSoftmax(shape, Step(scale, 5)) for shape in ((1,), (12,), (3, 5)) for scale in (0.02, 0.3)]
    check([*cases, EDGES[4]], target="qemu")


def test_a_logarithm_of_a_softmax(tmp_path: Path) -> None:
    """Within a step of the real numbers."""
    path = LogSoftmax((9,), Step(0.05, 7)).build().write(tmp_path / "model.tflite", [0], [1])
    rows = np.random.default_rng(1).integers(-128, 128, (50, 9), dtype=np.int8)
    real = 0.05 * (rows.astype(np.float64) - 7)
    wanted = real - np.log(np.exp(real).sum(axis=1, keepdims=True))
    (found,) = ModelsC([path]).run([rows])
    assert np.abs((found.astype(np.float64) - 127) / 16 - wanted).max() < 0.05


def test_another_scale_is_refused(tmp_path: Path) -> None:
    path = LogSoftmax((9,), Step(0.1, 0), Step(1 / 256, -128)).build().write(tmp_path / "a.tflite", [0], [1])
    with pytest.raises(UserError, match=r"its output must have scale 1/16 and zero point 127"):
        load_graph(path)


def test_more_classes_than_the_sum_holds_are_refused(tmp_path: Path) -> None:
    path = LogSoftmax((4096,), Step(0.1, 5)).build().write(tmp_path / "model.tflite", [0], [1])
    with pytest.raises(UserError, match="4096 classes; 4095 are possible"):
        load_graph(path)
