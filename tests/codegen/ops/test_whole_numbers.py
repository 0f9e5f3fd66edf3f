# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of int32 between layers of int8, against both references: every value of small models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.ops.whole_numbers import FORMS
from codegen.passes.legalise import load_graph
from tests.models.builder import TYPES, Builder
from tests.support.exact import BATCHES, Batch, batches, check
from tests.support.tflm import need_tflm

NOTHING_FUSED = {"fusedActivationFunction": 0}
OPTIONS = {"ADD": NOTHING_FUSED, "SUB": NOTHING_FUSED, "MUL": NOTHING_FUSED, "MAXIMUM": {}, "MINIMUM": {}}


@dataclass(frozen=True)
class Whole:
    """The input as int32, OP with a constant or with itself times 3, and what comes after."""

    op: str
    shape: tuple[int, ...]
    other: tuple[int, ...]  # shape of the constant; that of the input: the second operand is computed
    first: bool  # the constant is the first operand
    after: str  # "": int32 is the output; "int8", "int16": cast; "quantize", "move": transposed
    input_type: str = "int8"
    seed: int = 0

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        x = model.tensor(self.shape, self.input_type, 0.1, 3 if self.input_type == "int8" else 0)
        wide = model.tensor(self.shape, "int32")
        casts = {"inDataType": TYPES[self.input_type], "outDataType": TYPES["int32"]}
        model.operator("CAST", [x], [wide], casts)
        if self.other == self.shape:
            other = model.tensor(self.shape, "int32")
            factor = model.constant(np.array(3, np.int32))
            model.operator("MUL", [wide, factor], [other], NOTHING_FUSED)
        else:
            other = model.constant(random.integers(-(1 << 14), 1 << 14, self.other).astype(np.int32))
        shape = np.broadcast_shapes(self.shape, self.other)
        y = model.tensor(shape, "int32", 0.03 if self.after == "quantize" else None)
        model.operator(self.op, [other, wide] if self.first else [wide, other], [y], OPTIONS[self.op])
        return model.ends([x], [self._followed(model, y, shape)])

    def _followed(self, model: Builder, y: int, shape: tuple[int, ...]) -> int:
        if self.after == "quantize":
            last = model.tensor(shape, "int8", 11.0, -5)
            model.operator("QUANTIZE", [y], [last])
        elif self.after == "move":
            last = model.tensor(shape[::-1], "int32")
            order = model.constant(np.arange(len(shape), dtype=np.int32)[::-1])
            model.operator("TRANSPOSE", [y, order], [last])
        elif self.after:
            last = model.tensor(shape, self.after, 0.1, 0)
            model.operator(
                "CAST", [y], [last], {"inDataType": TYPES["int32"], "outDataType": TYPES[self.after]}
            )
        else:
            return y
        return last


@st.composite
def wholes(draw: st.DrawFn) -> Whole:
    """Any of them: operands of one shape, a constant that repeats along some axes."""
    shape = (1, *draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    kept = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    return Whole(
        op=draw(st.sampled_from(sorted(FORMS))),
        shape=shape,
        other=tuple(size if keep else 1 for size, keep in zip(shape, kept, strict=True)),
        first=draw(st.booleans()),
        after=draw(st.sampled_from(("", "int8", "int16", "quantize", "move"))),
        input_type=draw(st.sampled_from(("int8", "int16"))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@BATCHES
@given(batches(wholes()))
def test_any_of_them(cases: Batch) -> None:
    check(cases)


def some() -> list[Whole]:
    """Each operator with each that may follow."""
    afters = ("", "int8", "int16", "quantize", "move")
    return [
        Whole(op, (1, 3, 4), other, first, after, seed=place)
        for place, op in enumerate(sorted(FORMS))
        for other, first in (((1, 3, 4), False), ((4,), True))
        for after in afters
    ]


def test_as_tensorflow_lite_micro_computes_them() -> None:
    need_tflm()
    lacking = [
        ("SUB", "quantize"),
        *((op, "move") for op in FORMS),
    ]  # it moves int8, subtracts without scales
    check([case for case in some() if (case.op, case.after) not in lacking], reference=Reference.TFLM)


def test_on_a_cortex_m4() -> None:
    check(some(), target="qemu")


@pytest.mark.parametrize(
    ("dtype", "activation", "said"),
    [("int8", 0, "its second operand is int8, its output int32"), ("int32", 1, "relu is fused into")],
)
def test_what_is_refused(tmp_path: Path, dtype: str, activation: int, said: str) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int32")
    other = model.constant(np.arange(4).astype(dtype), 0.1 if dtype == "int8" else None)
    y = model.tensor((1, 4), "int32")
    model.operator("ADD", [x, other], [y], {"fusedActivationFunction": activation})
    with pytest.raises(UserError, match=said):
        load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
