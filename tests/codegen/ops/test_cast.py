# SPDX-License-Identifier: Apache-2.0
"""CAST and FILL against the reference interpreter, computed while the model runs and before it does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import TYPES, Builder
from tests.support.exact import Case, check
from tests.support.tflm import need_tflm


@dataclass(frozen=True)
class Cast:
    """A model of one CAST, or of one between others; its output's number is the input's."""

    input_type: str
    output_type: str
    zero_point: int = 3
    inside: bool = False

    def build(self) -> Builder:
        """The model: 50 values. inside: a QUANTIZE before, a RESHAPE after."""
        model = Builder()
        x = first = model.tensor((1, 50), self.input_type, 0.1, self._zero(self.input_type))
        if self.inside:
            first = model.tensor((1, 50), self.input_type, 0.07, self._zero(self.input_type))
            model.operator("QUANTIZE", [x], [first])
        y = last = model.tensor((1, 50), self.output_type, 0.1, self._zero(self.output_type))
        options = {"inDataType": TYPES[self.input_type], "outDataType": TYPES[self.output_type]}
        model.operator("CAST", [first], [y], options)
        if self.inside:
            last = model.tensor((1, 5, 10), self.output_type, 0.1, self._zero(self.output_type))
            model.operator("RESHAPE", [y, model.constant(np.array([1, 5, 10], np.int32))], [last])
        return model.ends([x], [last])

    def _zero(self, dtype: str) -> int:
        return {"int8": self.zero_point, "uint8": self.zero_point + 128, "int16": 0, "int32": 0}[dtype]


@dataclass(frozen=True)
class Fill:
    """A FILL of one value: computed (the first of the input), or constant and added to the input."""

    shape: tuple[int, ...]
    computed: bool
    value: int = 5

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        sizes = model.constant(np.array(self.shape, np.int32))
        if self.computed:
            x = model.tensor((1, 7), "int8", 0.1, 3)
            scalar = model.tensor((), "int8", 0.1, 3)
            y = model.tensor(self.shape, "int8", 0.1, 3)
            begin, size = (model.constant(np.array(v, np.int32)) for v in ([0, 2], [1, 3]))
            options = {"shrinkAxisMask": 3, "beginMask": 0, "endMask": 0}
            strides = model.constant(np.array([1, 1], np.int32))
            model.operator("STRIDED_SLICE", [x, begin, size, strides], [scalar], options)
            model.operator("FILL", [sizes, scalar], [y])
            return model.ends([x], [y])
        x = model.tensor(self.shape, "int8", 0.1, 3)
        filled = model.tensor(self.shape, "int8", 0.05, -4)
        y = model.tensor(self.shape, "int8", 0.2, 1)
        value = model.constant(np.array(self.value, np.int8), 0.05, -4)
        model.operator("FILL", [sizes, value], [filled])
        model.operator("ADD", [x, filled], [y], {"fusedActivationFunction": 0})
        return model.ends([x], [y])


@dataclass(frozen=True)
class Mask:
    """Where the input is above 4: a comparison's bool as a number."""

    output_type: str

    def build(self) -> Builder:
        """The model: 50 values."""
        model = Builder()
        x = model.tensor((1, 50), "int8", 0.1, 3)
        above = model.tensor((1, 50), "bool")
        model.operator("GREATER", [x, model.constant(np.array(43, np.int8), 0.1, 3)], [above], {})
        y = model.tensor((1, 50), self.output_type, 0.1, 0)
        options = {"inDataType": TYPES["bool"], "outDataType": TYPES[self.output_type]}
        model.operator("CAST", [above], [y], options)
        return model.ends([x], [y])


PAIRS = [*product(("int8", "uint8"), repeat=2), ("int16", "int16"), ("int8", "int16")]
PAIRS += [(narrow, "int32") for narrow in ("int8", "uint8", "int16")]
FROM_WIDE = [("int32", narrow) for narrow in ("int8", "uint8", "int16", "int32")]  # not quantised before
CASES: list[Case] = [
    *(Cast(a, b) for a, b in FROM_WIDE),
    *(Mask(wanted) for wanted in ("int8", "uint8", "int32")),
    *(Cast(a, b, zero, inside) for a, b in PAIRS for zero in (-128, 3, 127) for inside in (False, True)),
    *(Fill(shape, True) for shape in ((1, 4), (1, 3, 5), (1, 1), (1, 2, 2, 3))),
    *(Fill(shape, False, value) for shape in ((1, 4), (1, 3, 5)) for value in (-128, 0, 127)),
]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_cast_and_fill(target: str) -> None:
    check(CASES, target=target)


def test_as_tensorflow_lite_micro_casts() -> None:
    """It has no uint8."""
    need_tflm()
    pairs = [("int8", "int16"), ("int8", "int32"), ("int16", "int32"), ("int32", "int8"), ("int32", "int16")]
    check([*(Cast(a, b) for a, b in pairs), Mask("int8"), Mask("int32")], reference=Reference.TFLM)


def test_what_cannot_be_cast_is_refused(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = model.tensor((1, 4), "int64")
    model.operator("CAST", [x], [y], {})
    with pytest.raises(UserError, match="casts int8 to int64"):
        load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
