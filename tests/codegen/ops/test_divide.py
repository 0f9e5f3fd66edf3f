# SPDX-License-Identifier: Apache-2.0
"""DIV against both reference interpreters, which stop at a divisor of 0: none of those here is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, layers_of, steps
from tests.support.models_c import ModelsC
from tests.support.tflm import need_tflm
from workbench.verify.packed import pack


@dataclass(frozen=True)
class Divide:
    """input / a divisor. ratio: of the scales, from the operands' quotient to the output

    divisor: "tensor", the input's own values, but for 0 and those beyond it; "first" or "second": a constant
    is this operand; "largest": a value for each row, the row's largest
    """

    shape: tuple[int, ...]
    divisor: str
    input: Step
    other: Step
    ratio: float
    zero_point: int = -3
    activation: str = "none"

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(self.shape, "int8", self.input.scale, self.input.zero_point)
        shape = (*self.shape[:-1], 1) if self.divisor == "largest" else self.shape
        quotient = self.input.scale / self.other.scale
        scale = float(np.float32((1 / quotient if self.divisor == "first" else quotient) / self.ratio))
        y = model.tensor(self.shape, "int8", scale, self.zero_point)
        low, high = (-128, 127) if self.other.zero_point < 0 else (127, -128)
        if self.divisor in ("first", "second"):
            values = np.resize(np.arange(low, 3 * high, 7 if high > 0 else -7), self.shape[-1]) % 256 - 128
            values = values.astype(np.int8)
            if self.divisor == "second":
                values[values == self.other.zero_point] = high
            other = model.constant(values, self.other.scale, self.other.zero_point)
        else:
            other = self._divisor(model, x, shape)
        operands = [other, x] if self.divisor == "first" else [x, other]
        if self.divisor == "first":  # what divides is the input: none of it is 0
            operands[1] = self._apart(model, x, self.input, self.shape)
        options = {"fusedActivationFunction": ACTIVATIONS[self.activation]}
        model.operator("DIV", operands, [y], options)
        return model.ends([x], [y])

    def _divisor(self, model: Builder, x: int, shape: tuple[int, ...]) -> int:
        """The input's numbers, or the largest of a row, read with the other scale and zero point."""
        if self.divisor == "largest":
            found = model.tensor(shape, "int8", self.input.scale, self.input.zero_point)
            axis = model.constant(np.array([len(shape) - 1], np.int32))
            model.operator("REDUCE_MAX", [x, axis], [found], {"keepDims": True})
            x = found
        return self._apart(model, x, self.other, shape)

    @staticmethod
    def _apart(model: Builder, x: int, step: Step, shape: tuple[int, ...]) -> int:
        """Numbers above the zero point, or below one that is not negative."""
        below = step.zero_point >= 0
        limit = np.array([step.zero_point + (-1 if below else 1)], np.int8)
        made = model.tensor(shape, "int8", step.scale, step.zero_point)
        bound = model.constant(limit, step.scale, step.zero_point)
        model.operator("MINIMUM" if below else "MAXIMUM", [x, bound], [made], {})
        return made


@st.composite
def divisions(draw: st.DrawFn) -> Divide:
    """Ratios at which the references stop at no quotient."""
    return Divide(
        shape=(1, draw(st.integers(1, 5)), draw(st.integers(1, 40))),
        divisor=draw(st.sampled_from(("tensor", "first", "second", "largest"))),
        input=draw(steps(-7, 0)),
        other=draw(steps(-7, 0)),
        ratio=2.0 ** draw(st.floats(6.1, 15, allow_nan=False)),
        zero_point=draw(st.integers(-128, 127)),
        activation=draw(st.sampled_from(("none", "none", "relu", "relu6"))),
    )


@ONE_BATCH
@given(batches(divisions()))
def test_any_quotient(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(divisions()))
def test_any_quotient_as_tensorflow_lite_micro_has_it(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


PLAIN = Divide((1, 3, 8), "tensor", Step(0.02, 5), Step(0.05, -128), 90.0)


def test_on_a_cortex_m4() -> None:
    cases = [replace(PLAIN, divisor=divisor) for divisor in ("tensor", "first", "second", "largest")]
    check([*cases, replace(PLAIN, other=Step(0.05, 127))], target="qemu")


def test_a_constant_divisor_is_a_table(tmp_path: Path) -> None:
    assert [layer.type for layer in layers_of(replace(PLAIN, divisor="second"), tmp_path)] == ["table"]


def _quotients(tmp_path: Path, *, ratio: float, divisor: int) -> tuple[NDArray[np.int8], list[Fraction]]:
    """All dividends by one computed divisor: what came out, and the exact quotients in the output's steps."""
    model = Builder()
    ends = [model.tensor((1, 256), "int8", 0.5, 3), model.tensor((1, 1), "int8", 0.25, 0)]
    scale = float(np.float32(0.5 / 0.25 / ratio))
    y = model.tensor((1, 256), "int8", scale, 7)
    model.operator("DIV", ends, [y], {"fusedActivationFunction": 0})
    path = model.write(tmp_path / "model.tflite", ends, [y])
    every = np.arange(-128, 128, dtype=np.int8)
    packed = pack([every[None], np.array([[divisor]], np.int8)])
    (found,) = ModelsC([path]).run([packed[None]])
    exact = Fraction(2) / Fraction(scale)
    return found.reshape(-1), [exact * (int(x) - 3) / (divisor or 1) + 7 for x in every]


@pytest.mark.parametrize("divisor", [1, 100, -128, 0])
@pytest.mark.parametrize("ratio", [0.001, 2.0, 50.0])
def test_where_the_references_stop_it_is_the_quotient(tmp_path: Path, ratio: float, divisor: int) -> None:
    """To the nearest; a divisor of 0 is taken for 1."""
    found, wanted = _quotients(tmp_path, ratio=ratio, divisor=divisor)
    for value, real in zip(found.tolist(), wanted, strict=True):
        assert abs(value - min(127, max(-128, real))) <= Fraction(1001, 2000)


@pytest.mark.parametrize(
    ("case", "what"),
    [
        (replace(PLAIN, ratio=1e9), "its first operand's scale over the product"),
        (replace(PLAIN, divisor="second", other=Step(0.05, 20)), "divides by a constant that is 0"),
    ],
)
def test_what_is_refused(case: Divide, what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    model = case.build()
    if case.divisor == "second":
        buffer = next(one for one in model.model.buffers if one.data is not None)
        buffer.data = np.full(len(buffer.data), case.other.zero_point, np.int8).view(np.uint8)
    path.write_bytes(model.bytes())
    with pytest.raises(UserError, match=what):
        load_graph(path)
