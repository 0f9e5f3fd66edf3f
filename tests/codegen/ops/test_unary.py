# SPDX-License-Identifier: Apache-2.0
"""Functions of one value against the reference interpreter, over all 256 values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.reference import Reference
from codegen.ops import math_functions, unary
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, steps
from tests.support.models_c import ModelsC

FUNCTIONS = {**unary.FUNCTIONS, **math_functions.FUNCTIONS}
NOT_NEGATIVE = ("RSQRT", "SQRT")  # their inputs


@dataclass(frozen=True)
class Unary:
    """A model of one function of one value."""

    op: str
    input_: Step
    output: Step
    input_type: str = "int8"
    output_type: str = "int8"
    alpha: float = 0.0
    approximate: bool = False

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x = model.tensor(
            (1, 16, 16), self.input_type, self.input_.scale, self._zero(self.input_, self.input_type)
        )
        output = {"LOGISTIC": Step(1 / 256, -128), "TANH": Step(1 / 128, 0)}.get(self.op, self.output)
        y = model.tensor((1, 16, 16), self.output_type, output.scale, self._zero(output, self.output_type))
        options: dict[str, Any] | None = {"alpha": self.alpha} if self.op == "LEAKY_RELU" else None
        if self.op == "GELU":
            options = {"approximate": self.approximate}
        model.operator(self.op, [x], [y], options)
        return model.ends([x], [y])

    @staticmethod
    def _zero(step: Step, dtype: str) -> int:
        return step.zero_point + 128 if dtype == "uint8" else step.zero_point


@st.composite
def unaries(draw: st.DrawFn, op: str) -> Unary:
    """The function."""
    input_ = draw(steps(-8, 1))
    output = draw(steps(-8, 1))
    if op == "HARD_SWISH":
        output = Step(float(np.float32(input_.scale * draw(st.floats(0.05, 4)))), output.zero_point)
    types = st.sampled_from(("int8", "uint8")) if op == "QUANTIZE" else st.just("int8")
    if op in NOT_NEGATIVE:
        input_ = replace(input_, zero_point=-128)
    if op == "EXP":  # its results stay within 32 bits, and some differ
        input_ = replace(input_, scale=float(np.float32(input_.scale / 32)))
    alpha = draw(st.sampled_from((0.0, 0.01, 0.2, 0.3, 1.0, 1.5, -0.25)))
    return Unary(op, input_, output, draw(types), draw(types), alpha, draw(st.booleans()))


@pytest.mark.parametrize("op", sorted(FUNCTIONS))
def test_any_function(op: str) -> None:
    @ONE_BATCH
    @given(batches(unaries(op)))
    def each(cases: Batch) -> None:
        check(cases)

    each()


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = [
        Unary(op, Step(0.05, -128 if op in NOT_NEGATIVE else -3), Step(0.04, 9), alpha=0.2)
        for op in sorted(FUNCTIONS)
    ]
    cases.append(Unary("QUANTIZE", Step(0.05, -3), Step(0.05, -3), output_type="uint8"))
    check(cases, kernels=kernels, target="qemu")


def test_functions_in_a_row_are_one_table(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 8), "int8", 0.05, 3)
    a = model.tensor((1, 8), "int8", 0.04, -10)
    b = model.tensor((1, 8), "int8", 1 / 128, 0)
    y = model.tensor((1, 8), "uint8", 1 / 128, 128)
    model.operator("RELU6", [x], [a])
    model.operator("TANH", [a], [b])
    model.operator("QUANTIZE", [b], [y])
    path = model.write(tmp_path / "model.tflite", [x], [y])
    assert [layer.kernel for layer in lower(load_graph(path)).layers] == ["table"]

    class Whole:
        def build(self) -> Builder:
            """The model."""
            return model

    check([Whole()])


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_the_devices_fixed_point_is_near_the_real_function(tmp_path: Path, op: str) -> None:
    """Reference.TFLM computes these in fixed point: within one step, and seldom not what LiteRT has."""
    differing = 0
    for number, scale in enumerate((0.01, 0.05, 0.2)):
        case = Unary(op, Step(scale, -7), Step(1.0, 0))
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(case.build().bytes())
        graph = load_graph(path)
        rows = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16)
        (device,) = ModelsC([graph], reference=Reference.TFLM).run([rows])
        (interpreter,) = ModelsC([graph], reference=Reference.LITERT).run([rows])
        real = (rows.astype(float) + 7) * scale
        exact = 256 / (1 + np.exp(-real)) - 128 if op == "LOGISTIC" else 128 * np.tanh(real)
        assert np.abs(device - np.clip(exact, -128, 127)).max() <= 1
        differing += int((device != interpreter).sum())
    assert differing < 12
