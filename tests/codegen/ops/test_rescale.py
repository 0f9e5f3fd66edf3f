# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE and DEQUANTIZE between integers, from float and to float, against the reference interpreter."""

from __future__ import annotations

from collections.abc import Sequence
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
from tests.support.exact import BATCHES, ONE_BATCH, Batch, Step, batches, check, steps
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from tests.support.tflm import need_tflm
from workbench.verify.reference import ReferenceInterpreter


@dataclass(frozen=True)
class Rescale:
    """A model of one QUANTIZE between integers."""

    input_type: str
    output_type: str
    input_: Step
    output: Step

    def build(self) -> Builder:
        """The model: 50 values."""
        model = Builder()
        x = _tensor(model, self.input_type, self.input_)
        y = _tensor(model, self.output_type, self.output)
        model.operator("QUANTIZE", [x], [y])
        return model.ends([x], [y])


def _tensor(model: Builder, dtype: str, step: Step) -> int:
    """int16 and int32 have zero points of 0 only."""
    zero_point = {"int8": step.zero_point, "uint8": step.zero_point + 128}.get(dtype, 0)
    return model.tensor((1, 50), dtype, step.scale, zero_point)


WIDER = (("int8", "int16"), ("int16", "int8"), ("int16", "int16"))
WIDEST = (("int8", "int32"), ("int16", "int32"))  # which LiteRT has no kernel for
FROM_WIDE = (("int32", "int8"), ("int32", "int16"))


def rescales(pairs: Sequence[tuple[str, str]] = WIDER) -> st.SearchStrategy[Rescale]:
    """Any pair of types with more than 8 bits on one side."""
    pair = st.sampled_from(pairs)
    return st.builds(lambda pair, a, b: Rescale(pair[0], pair[1], a, b), pair, steps(-12, 0), steps(-12, 0))


@BATCHES
@given(batches(rescales()))
def test_any_change_of_type(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(rescales(FROM_WIDE)))
def test_from_32_bits(cases: Batch) -> None:
    """Any number of 32 bits, beyond what the reference's shift holds, too: both wrap."""
    check(cases)
    check(cases[:4], target="qemu")
    need_tflm()
    check(cases, reference=Reference.TFLM)


@ONE_BATCH
@given(batches(rescales(WIDEST)))
def test_32_bits_as_tensorflow_lite_micro_has_them(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)
    check(cases[:4], reference=Reference.TFLM, target="qemu")


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    pairs = [*WIDER, ("uint8", "int8"), ("int8", "uint8")]
    cases = [Rescale(*pair, Step(0.05, 3), Step(0.07, -9)) for pair in pairs]
    check(cases, kernels=kernels, target="qemu")


def float_ends(path: Path, step: Step, dtype: str) -> Path:
    """Float in, float out, a RESHAPE and an activation in between."""
    model = Builder()
    zero = step.zero_point + (128 if dtype == "uint8" else 0)
    x = model.tensor((1, 64), "float32")
    shape = model.constant(np.array([1, 8, 8], np.int32))
    square = model.tensor((1, 8, 8), "float32")
    model.operator("RESHAPE", [x, shape], [square])
    quantized = model.tensor((1, 8, 8), dtype, step.scale, zero)
    model.operator("QUANTIZE", [square], [quantized])
    y = model.tensor((1, 8, 8), "float32")
    model.operator("DEQUANTIZE", [quantized], [y])
    return model.write(path, [x], [y])


def floats_for(step: Step, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Floats at and beside every half step, at the rails, tiny ones, large ones, infinities not."""
    random = np.random.default_rng(seed)
    halves = (np.arange(-300, 300) + 0.5) * step.scale
    values = np.concatenate([halves, halves / 2, random.normal(size=400) * step.scale * 100]).astype(
        np.float32
    )
    near = np.concatenate(
        [np.nextafter(values, np.float32(np.inf)), np.nextafter(values, np.float32(-np.inf)), values]
    )
    more = np.array([0.0, -0.0, 1e-45, -1e-45, 1e-38, step.scale * 1e6, -step.scale * 1e6], np.float32)
    every = np.concatenate([near, more])
    return np.resize(every, (len(every) // 64 + 1, 64))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_float_ends_are_exact(tmp_path: Path, dtype: str, target: str) -> None:
    every = [Step(0.1, -5), Step(2.0**-4, 127), Step(0.003921569, -128), Step(3.7, 0)]
    paths = [float_ends(tmp_path / f"{index}.tflite", step, dtype) for index, step in enumerate(every)]
    rows = [floats_for(step, index) for index, step in enumerate(every)]
    found = ModelsC(paths, target=target).run(rows)
    with ReferenceInterpreter(paths[0]) as reference:
        for path, inputs, outputs in zip(paths, rows, found, strict=True):
            reference.load(path)
            wanted = reference.run(inputs)
            assert np.array_equal(wanted.view(np.uint32), outputs.view(np.uint32))
            assert len(np.unique(wanted)) > 250
            tally_case(path, outputs.size, target)


def test_infinities_are_the_rails(tmp_path: Path) -> None:
    path = float_ends(tmp_path / "model.tflite", Step(0.5, 10), "int8")
    rows = np.zeros((1, 64), np.float32)
    rows[0, :2] = np.inf, -np.inf
    (found,) = ModelsC([path]).run([rows])
    assert found.reshape(-1)[:2].tolist() == [(127 - 10) * 0.5, (-128 - 10) * 0.5]


def test_floats_inside_are_refused(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    real = model.tensor((1, 4), "float32")
    model.operator("DEQUANTIZE", [x], [real])
    y = model.tensor((1, 4), "uint8", 0.2, 0)
    model.operator("QUANTIZE", [real], [y])
    with pytest.raises(UserError, match="floats inside"):
        load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
