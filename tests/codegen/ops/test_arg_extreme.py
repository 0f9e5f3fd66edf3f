# SPDX-License-Identifier: Apache-2.0
"""ARG_MAX and ARG_MIN against both reference interpreters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check
from tests.support.tflm import need_tflm


@dataclass(frozen=True)
class Arg:
    """A model of one of them."""

    op: str
    shape: tuple[int, ...]
    axis: int
    output: str = "int32"

    def build(self) -> Builder:
        """The model. Some rows of its inputs hold few values, so that some are equal."""
        model = Builder()
        x = model.tensor((1, *self.shape), "int8", 0.1, -5)
        axis = self.axis if self.axis < 0 else self.axis + 1
        kept = [1, *self.shape]
        del kept[axis]
        y = model.tensor(kept, self.output)
        model.operator(self.op, [x, model.constant(np.array(axis, np.int32))], [y], {"outputType": 2})
        return model.ends([x], [y])


@st.composite
def args(draw: st.DrawFn) -> Arg:
    """Any axis but the batch's."""
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3)))
    axis = draw(st.integers(0, len(shape) - 1))
    return Arg(
        draw(st.sampled_from(("ARG_MAX", "ARG_MIN"))),
        shape,
        draw(st.sampled_from((axis, axis - len(shape)))),
    )


CASES = [Arg("ARG_MAX", (12,), -1), Arg("ARG_MIN", (3, 5, 4), 1), Arg("ARG_MAX", (6, 4), 0)]


@ONE_BATCH
@given(batches(args()))
def test_any_axis(cases: Batch) -> None:
    check([*cases, *CASES])


def test_as_tensorflow_lite_micro_has_it() -> None:
    need_tflm()
    check(CASES, reference=Reference.TFLM)


def test_on_a_cortex_m4() -> None:
    check(CASES, target="qemu")


@pytest.mark.parametrize(
    ("case", "what", "remedy"),
    [
        (replace(CASES[0], output="int64"), "its output is int64; int32 is needed", "output_type=tf.int32"),
        (replace(CASES[1], output="int64"), "its output is int64", "tf.argmin"),
    ],
)
def test_what_is_refused(tmp_path: Path, case: Arg, what: str, remedy: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError) as caught:
        load_graph(path)
    assert what in str(caught.value)
    assert remedy in str(caught.value)
