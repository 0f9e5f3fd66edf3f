# SPDX-License-Identifier: Apache-2.0
"""ELU against TensorFlow Lite Micro's interpreter, and against LiteRT's kernel, over all 256 values.

LiteRT has it among its default kernels alone, not among BUILTIN_REF, which `check` compares with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.reference import Reference
from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, layers_of, steps
from tests.support.tflm import need_tflm

EVERY = np.arange(-128, 128, dtype=np.int8).reshape(1, 16, 16)


@dataclass(frozen=True)
class Elu:
    """A model of one ELU."""

    input: Step
    output: Step

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x = model.tensor((1, 16, 16), "int8", self.input.scale, self.input.zero_point)
        y = model.tensor((1, 16, 16), "int8", self.output.scale, self.output.zero_point)
        model.operator("ELU", [x], [y])
        return model.ends([x], [y])


# In the last one exp(x) - 1 in float32 has steps of 64 of the output's: there the two references part.
CASES = (
    Elu(Step(0.05, 9), Step(0.04, 3)),
    Elu(Step(0.1, 0), Step(0.05, -20)),
    Elu(Step(2.0**-30, 100), Step(2.0**-30, 100)),
)


@BATCHES
@given(batches(st.builds(Elu, steps(-20, 1), steps(-20, 1))))
def test_as_tensorflow_lite_micro_has_it(cases: Batch) -> None:
    need_tflm()
    check([*cases, *CASES], reference=Reference.TFLM)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_litert_has_it(case: Elu, tmp_path: Path) -> None:
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=case.build().bytes(), experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], EVERY)
    interpreter.invoke()
    wanted = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    (layer,) = layers_of(case, tmp_path)
    (table,) = layer.arrays
    assert np.array_equal(table.values, wanted.reshape(-1))


def test_on_a_cortex_m4() -> None:
    need_tflm()
    check(CASES, target="qemu", reference=Reference.TFLM)
