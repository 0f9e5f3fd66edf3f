# SPDX-License-Identifier: Apache-2.0
"""SUM against TensorFlow Lite Micro's interpreter.

LiteRT's reference kernel of version 2.3.0 takes its int8 and int16 for uint8: -2 and -2 are 508 there, and
clamped to 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.codegen.ops.int16x8.test_same_families import Wide
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Case, Step, batches, check, steps
from tests.support.tflm import need_tflm


@dataclass(frozen=True)
class Sum:
    """A model of one SUM."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep: bool
    input_: Step
    output: Step

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(self.shape, "int8", self.input_.scale, self.input_.zero_point)
        axes = model.constant(np.array(self.axes, np.int32))
        shape = np.zeros(self.shape).sum(axis=self.axes, keepdims=self.keep).shape
        y = model.tensor(shape, "int8", self.output.scale, self.output.zero_point)
        model.operator("SUM", [x, axes], [y], {"keepDims": self.keep})
        return model.ends([x], [y])


@st.composite
def sums(draw: st.DrawFn) -> Sum:
    """Any SUM over axes after the batch."""
    shape = (1, *draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    axes = draw(st.sets(st.integers(1, len(shape) - 1), min_size=1))
    signed = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in axes)
    input_ = draw(steps())
    ratio = draw(st.sampled_from((1.0, 2.5, 0.01, 5.0, 20.0)))
    output = Step(float(np.float32(input_.scale * ratio)), draw(st.integers(-128, 127)))
    return Sum(shape, signed, draw(st.booleans()), input_, output)


@ONE_BATCH
@given(batches(sums()))
def test_any_sum(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


@ONE_BATCH
@given(batches(sums().filter(lambda case: case.input_.scale / case.output.scale < 45).map(Wide)))
def test_any_sum_of_16_bits(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


A, B = Step(0.1, 3), Step(1.7, -9)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    need_tflm()
    cases: list[Case] = [
        Sum((1, 5, 4, 6), (1, 2), False, A, B),
        Sum((1, 5, 4, 6), (1, 3), True, A, B),
        Sum((1, 5, 4, 6), (-1,), False, A, A),
    ]
    cases += [Wide(case) for case in cases]
    check(cases, kernels=kernels, target="qemu", reference=Reference.TFLM)


def test_litert_s_own_kernel_is_no_reference() -> None:
    """When this fails LiteRT has mended it, and `verify` can ask it again (workbench/verify/model.py)."""
    case = Sum((1, 2, 4), (1,), keep=False, input_=Step(0.1, 0), output=Step(0.1, 0))
    kernels = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=case.build().bytes(), experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full((1, 2, 4), -2, np.int8))
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist() == [[-1] * 4]


def test_a_sum_beyond_32_bits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    large = Sum((1, 100, 100), (1, 2), False, Step(1.0, 0), Step(0.001, 0))
    for case in (large, Wide(large)):
        path.write_bytes(case.build().bytes())
        with pytest.raises(UserError, match="results stay within 32 bits"):
            load_graph(path)
    path.write_bytes(Wide(Sum((1, 300, 300), (1, 2), False, A, A)).build().bytes())
    with pytest.raises(UserError, match="it has to sum up more than 65535 values at once"):
        load_graph(path)
