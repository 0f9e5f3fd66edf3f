# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED against the reference interpreter, and in TensorFlow Lite Micro's rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.reference import Reference
from codegen.compile import run_passes
from codegen.kernels import round_once
from codegen.kernels.requantize import quantize_multiplier, rounding_shift
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, Builder
from tests.models.networks import beside_halves
from tests.support.exact import BATCHES, Batch, Step, batches, check, layers_of, steps
from tests.support.models_c import ModelsC, spec_of
from tests.support.tflm import tflm_reference


@dataclass(frozen=True)
class Dense:
    """A model of one FULLY_CONNECTED."""

    shape: tuple[int, ...]  # of the input, without the batch
    outputs: int
    keep: bool  # the input's leading dimensions stay
    activation: str
    per_channel: bool
    bias: bool
    extreme: bool
    input_: Step
    output_zero: int
    multiplier: float  # log2
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        inputs = self.shape[-1]
        if self.extreme:
            weights = random.choice(np.array([-127, 127, -128], np.int8), (self.outputs, inputs))
        else:
            weights = random.integers(-127, 128, (self.outputs, inputs), dtype=np.int8)
        bias = random.integers(-5000, 5000, self.outputs).astype(np.int32)
        scales = (2.0 ** random.uniform(-9, -5, self.outputs if self.per_channel else 1)).astype(np.float32)
        output_scale = float(np.float32(self.input_.scale * float(scales.max()) / 2.0**self.multiplier))
        x = model.tensor((1, *self.shape), "int8", self.input_.scale, self.input_.zero_point)
        operands = [x, model.constant(weights, scales.tolist())]
        products = (scales * np.float32(self.input_.scale)).tolist()
        operands.append(model.constant(bias, products) if self.bias else -1)
        shape = (
            (1, *self.shape[:-1], self.outputs)
            if self.keep
            else (int(np.prod(self.shape[:-1])), self.outputs)
        )
        y = model.tensor(shape, "int8", output_scale, self.output_zero)
        options = {"fusedActivationFunction": ACTIVATIONS[self.activation], "keepNumDims": self.keep}
        model.operator("FULLY_CONNECTED", operands, [y], options)
        return model.ends([x], [y])


@st.composite
def denses(draw: st.DrawFn) -> Dense:
    """Any FULLY_CONNECTED; several input vectors where the leading dimensions are kept."""
    keep = draw(st.booleans())
    leading = draw(st.lists(st.integers(1, 3), max_size=2)) if keep else []
    return Dense(
        shape=(*leading, draw(st.integers(1, 40))),
        outputs=draw(st.integers(1, 9)),
        keep=keep,
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        per_channel=draw(st.booleans()),
        bias=draw(st.booleans()),
        extreme=draw(st.integers(0, 4)) == 0,
        input_=draw(steps()),
        output_zero=draw(st.one_of(st.sampled_from((-128, 0, 127)), st.integers(-128, 127))),
        multiplier=draw(st.one_of(st.floats(-12, -6), st.floats(-33, 3), st.integers(-9, 0).map(float))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@BATCHES
@given(batches(denses()))
def test_any_dense_layer(cases: Batch) -> None:
    check(cases)


FIRST = Dense(
    shape=(3, 5),
    outputs=4,
    keep=True,
    activation="none",
    per_channel=True,
    bias=True,
    extreme=False,
    input_=Step(0.05, 7),
    output_zero=-11,
    multiplier=-8.0,
    seed=1,
)


def fours() -> list[Dense]:
    """fully_connected: outputs in fours and what is left over; octets modulo the loop's four; segments."""
    sizes = [(inputs, outputs) for inputs, outputs in enumerate((2, 3, 4, 5, 6, 7, 8, 9, 1), start=1)]
    sizes += [(8 * octets, 4) for octets in range(2, 10)]
    sizes += [(64, 12), (513, 1), (513, 6), (520, 3), (1100, 9)]
    return [FIRST] + [
        replace(FIRST, shape=(n,), outputs=m, keep=False, per_channel=n % 2 == 0, bias=m % 3 > 0, seed=n)
        for n, m in sizes
    ]


def int16() -> list[Dense]:
    """fully_connected_int16: weights of -128."""
    sizes = ((5, 1), (6, 2), (9, 3), (31, 5), (600, 6))
    return [
        replace(FIRST, shape=(n,), outputs=m, keep=False, extreme=True, multiplier=-9.0, seed=n)
        for n, m in sizes
    ]


def many() -> list[Dense]:
    """fully_connected, later fully_connected_pairs_once: every number of quads to skip, an odd output."""
    sizes = [(inputs, 64 + inputs % 2) for inputs in (1, 4, 5, 8, 12, 16, 24, 36, 40, 64, 130, 512)]
    return [
        replace(FIRST, shape=(n,), outputs=m, keep=False, per_channel=n % 3 == 0, bias=n % 5 > 0, seed=n)
        for n, m in sizes
    ]


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_kinds(kernels: str, target: str) -> None:
    clamped = [replace(FIRST, shape=(n,), keep=False, activation="relu", seed=n) for n in (3, 700)]
    check([*fours(), *int16(), *many(), *clamped], kernels=kernels, target=target)


@pytest.mark.parametrize("target", ["pc", "qemu"])
@pytest.mark.parametrize(("without", "form"), [(("fast",), "wide"), (("fast", "wide"), "steps")])
def test_rarer_roundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, without: tuple[str, ...], form: str, target: str
) -> None:
    """The forms that few layers need, where the shorter ones are taken away: the same bits."""
    for name in without:
        monkeypatch.setattr(round_once, name, lambda *_: None)
    clamped = replace(FIRST, shape=(600,), outputs=6, keep=False, activation="relu6")
    one_scale = replace(FIRST, shape=(40,), outputs=5, keep=False, per_channel=False, seed=4)
    cases = [FIRST, clamped, one_scale, *int16()]
    for case in cases:
        assert [layer.kernel.rsplit("_", 1)[1] for layer in layers_of(case, tmp_path)] == [form]
    check(cases, target=target)


def test_kinds_reach_their_kernel(tmp_path: Path) -> None:
    for case in fours():
        assert [layer.kernel for layer in layers_of(case, tmp_path)] == ["fully_connected"], case
    for case in int16():
        (layer,) = layers_of(case, tmp_path)
        assert layer.type == "fully_connected_int16", case


def test_many_outputs_are_computed_in_pairs(tmp_path: Path) -> None:
    """But for vectors whose widened copy would need more memory."""
    for case in (*many(), replace(FIRST, shape=(1100,), outputs=70, keep=False)):
        (tmp_path / "case.tflite").write_bytes(case.build().bytes())
        compiled = run_passes(spec_of("m", "small"), load_graph(tmp_path / "case.tflite"))
        (layer,) = compiled.program.layers
        assert (layer.type == "fully_connected_pairs") == (case.shape[0] <= 512), case
        assert layer.kernel.endswith("_once") == (case.shape[0] <= 512), case


def twice_rounded(total: int, real: float) -> int:
    """The device's arithmetic by its definition, in integers: to 1/2^right first, then to a whole number."""
    mantissa, exponent = np.frexp(real)
    multiplier, right = round(float(mantissa) * 2**31), -int(exponent)
    first = (total * multiplier * 2 + 2**31) >> 32  # halves up
    return rounding_shift(first, right)


def test_the_device_rounds_twice(tmp_path: Path) -> None:
    """Reference.TFLM: sums that the interpreter rounds once and a device twice come out as on the device."""
    path = beside_halves(tmp_path / "dense.tflite")
    graph = load_graph(path)
    real = 0.125 / graph.output.quantization.scale  # type: ignore[union-attr]
    rows = np.array([(a, b) for a in range(-128, 128) for b in range(-63, 64, 3)], np.int8)
    sums = rows.astype(int) @ np.array([127, 1])
    (found,) = ModelsC([graph], reference=Reference.TFLM).run([rows])
    assert found.reshape(-1).tolist() == [max(-128, min(127, twice_rounded(int(s), real))) for s in sums]
    (once,) = ModelsC([graph], reference=Reference.LITERT).run([rows])
    assert (once != found).any()  # the two references do differ here
    with tflm_reference(path) as reference:
        assert np.array_equal(reference.run(rows), found)


@dataclass(frozen=True)
class Large:
    """Sums of millions, each beside a half of the output: the nearest 31-bit multiplier fails there."""

    scale: float
    sums: tuple[int, ...]

    def build(self) -> Builder:
        """The model: the sums are biases, one an output."""
        model = Builder()
        count = len(self.sums)
        x = model.tensor((1, 1), "int8", 0.5, 0)
        w = model.constant(np.ones((count, 1), np.int8), 2.0**-10)
        b = model.constant(np.array(self.sums, np.int32), 2.0**-11)
        y = model.tensor((1, count), "int8", self.scale, 0)
        model.operator("FULLY_CONNECTED", [x, w, b], [y], {"fusedActivationFunction": ACTIVATIONS["none"]})
        return model.ends([x], [y])


def test_large_sums_beside_a_half() -> None:
    random = np.random.default_rng(1)
    cases = []
    for _ in range(150):
        scale = float(np.float32(random.uniform(50.0, 100.0)))
        real = 2.0**-11 / scale
        nearest = quantize_multiplier(real)
        beside = [math.floor((level + 0.5) / real) + step for level in range(-128, 127) for step in (0, 1)]
        wrong = [
            total
            for total in beside
            if rounding_shift(total * nearest.value, 31 - nearest.shift) != round(float(total) * real)
        ]
        if wrong:
            cases.append(Large(scale, tuple(wrong[:8])))
    assert len(cases) > 5
    check(cases)
