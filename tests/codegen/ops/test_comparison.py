# SPDX-License-Identifier: Apache-2.0
"""Comparisons, SELECT_V2 and the logical operators against both reference interpreters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.ops.comparison import COMPARED
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, layers_of, steps
from tests.support.tflm import need_tflm

FAR = (Step(0.02, 100), Step(0.4, -7))  # the scales of what a condition chooses from, whose bits it keeps


@dataclass(frozen=True)
class Compare:
    """Two operands compared, and what a SELECT_V2 takes from two others.

    other: "tensor", the input's values in another order, read with another scale; "number", "channels" or
    "whole": a constant of one value, one a channel, one an element; "row": the largest of each row
    """

    op: str
    shape: tuple[int, ...]
    input: Step
    second: Step
    other: str = "tensor"
    turned: bool = False
    logical: str | None = None
    choice: str = "tensors"  # "numbers", "channels": constants to choose from
    select: str = "SELECT_V2"

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(self.shape, "int8", self.input.scale, self.input.zero_point)
        operands = [x, self._second(model, x)]
        if self.turned:
            operands.reverse()
        truth = model.tensor(self.shape, "bool")
        model.operator(self.op, operands, [truth])
        if self.logical is not None:
            truth = self._logical(model, truth, operands)
        y = model.tensor(self.shape, "int8", FAR[0].scale, FAR[0].zero_point)
        model.operator(self.select, [truth, *self._choices(model, x)], [y])
        return model.ends([x], [y])

    def _second(self, model: Builder, x: int) -> int:
        step = (self.second.scale, self.second.zero_point)
        if self.other == "tensor":
            return self._read(model, x, self.shape, self.second)
        if self.other == "row":
            found = model.tensor((*self.shape[:-1], 1), "int8", self.input.scale, self.input.zero_point)
            axis = model.constant(np.array([len(self.shape) - 1], np.int32))
            model.operator("REDUCE_MAX", [x, axis], [found], {"keepDims": True})
            return self._read(model, found, (*self.shape[:-1], 1), self.second)
        shape = {"number": (), "channels": self.shape[-1:], "whole": self.shape}[self.other]
        values = np.random.default_rng(3).integers(-128, 128, shape, dtype=np.int8)
        return model.constant(np.asarray(values, np.int8), *step)

    @staticmethod
    def _read(model: Builder, x: int, shape: tuple[int, ...], step: Step) -> int:
        """The same numbers, the largest first where they were the least, of another scale."""
        made = model.tensor(shape, "int8", step.scale, step.zero_point)
        limit = model.constant(np.array([-100], np.int8), step.scale, step.zero_point)
        model.operator("MAXIMUM", [x, limit], [made])
        turned = model.tensor(shape, "int8", step.scale, step.zero_point)
        axis = model.constant(np.array([len(shape) - 1], np.int32))
        model.operator("REVERSE_V2", [made, axis], [turned])
        return turned

    def _logical(self, model: Builder, truth: int, operands: list[int]) -> int:
        made = model.tensor(self.shape, "bool")
        if self.logical == "LOGICAL_NOT":
            model.operator("LOGICAL_NOT", [truth], [made])
            return made
        other = model.tensor(self.shape, "bool")
        model.operator("LESS_EQUAL", operands, [other])
        model.operator(str(self.logical), [truth, other], [made])
        return made

    def _choices(self, model: Builder, x: int) -> list[int]:
        if self.choice == "tensors":
            return [x, self._read(model, x, self.shape, FAR[1])]
        shape = () if self.choice == "numbers" else self.shape[-1:]
        values = np.random.default_rng(4).integers(-128, 128, (2, *shape), dtype=np.int8)
        return [model.constant(np.asarray(one, np.int8), *_pair(FAR[i])) for i, one in enumerate(values)]


def _pair(step: Step) -> tuple[float, int]:
    return step.scale, step.zero_point


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    """Scales alike and not, so small that values run together, and just below 1."""
    first = draw(steps(-12, -0.01))
    return Compare(
        op=draw(st.sampled_from(sorted(COMPARED))),
        shape=(1, *draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))),
        input=first,
        second=draw(st.one_of(st.just(first), steps(-12, -0.01))),
        other=draw(st.sampled_from(("tensor", "number", "channels", "whole", "row"))),
        turned=draw(st.booleans()),
        logical=draw(st.sampled_from((None, None, "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT"))),
        choice=draw(st.sampled_from(("tensors", "numbers", "channels"))),
    )


@ONE_BATCH
@given(batches(comparisons()))
def test_any_comparison(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(comparisons(), size=24))
def test_any_comparison_of_tflm(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


PLAIN = Compare("GREATER", (1, 4, 5), Step(0.05, 3), Step(0.05, 3))


def test_on_a_cortex_m4() -> None:
    logical = (None, "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", None, None)
    cases = [replace(PLAIN, op=op, logical=more) for op, more in zip(COMPARED, logical, strict=True)]
    check(cases, target="qemu")


def test_select_takes_operands_of_one_shape(tmp_path: Path) -> None:
    older = replace(PLAIN, select="SELECT")
    for target in ("pc", "qemu"):
        check([older, replace(older, shape=(1, 7), op="LESS")], target=target)
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(older, choice="channels").build().bytes())
    with pytest.raises(UserError, match=r"its output is \[1, 4, 5\], its operands are \[1, 4, 5\], \[5\]"):
        load_graph(path)


def test_a_mask_of_one_number_is_a_table(tmp_path: Path) -> None:
    case = replace(PLAIN, other="number", choice="numbers")
    assert [layer.type for layer in layers_of(case, tmp_path)] == ["table", "select"]


def test_scales_from_1_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(PLAIN, second=Step(1.0, 0)).build().bytes())
    with pytest.raises(
        UserError, match="the scale of its second operand is 1; comparisons are defined below"
    ):
        load_graph(path)


def changed(case: Compare, **values: Any) -> bytes:
    """The model with other fields in the condition's tensor."""
    model = case.build()
    truth = model.graph.operators[-1].inputs[0]
    for name, value in values.items():
        setattr(model.graph.tensors[truth], name, value)
    return model.bytes()


def test_a_condition_of_int8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(changed(PLAIN, type=9))
    with pytest.raises(UserError, match="its condition is int8; bool is needed"):
        load_graph(path)
