# SPDX-License-Identifier: Apache-2.0
"""SVDF against TensorFlow Lite Micro's interpreter: one run, and runs in a row."""

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
from tests.models.builder import ACTIVATIONS, Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, layers_of, steps
from tests.support.tflm import need_tflm

SEQUENCES = (False, True)


@dataclass(frozen=True)
class Svdf:
    """One SVDF. spread: of the weights of time, how far they reach"""

    inputs: int
    units: int
    rank: int
    memory: int
    input: Step
    features: float
    time: float
    state: float
    output: Step
    bias: int  # largest; -1: none
    spread: int
    seed: int
    activation: str = "relu"
    time_type: str = "int16"  # and the state's
    state_zero: int = 0

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        filters = self.units * self.rank
        x = model.tensor((1, self.inputs), "int8", self.input.scale, self.input.zero_point)
        y = model.tensor((1, self.units), "int8", self.output.scale, self.output.zero_point)
        features = random.integers(-127, 128, (filters, self.inputs), dtype=np.int8)
        time = random.integers(-self.spread, self.spread + 1, (filters, self.memory)).astype(self.time_type)
        bias = -1
        if self.bias >= 0:
            values = random.integers(-self.bias, self.bias + 1, self.units).astype(np.int32)
            bias = model.constant(values, float(np.float32(self.state) * np.float32(self.time)))
        state = model.tensor(
            (1, filters * self.memory), self.time_type, self.state, self.state_zero, variable=True
        )
        operands = [x, model.constant(features, self.features), model.constant(time, self.time), bias, state]
        options = {"rank": self.rank, "fusedActivationFunction": ACTIVATIONS[self.activation]}
        model.operator("SVDF", operands, [y], options)
        return model.ends([x], [y])


PLAIN = Svdf(8, 4, 2, 6, Step(0.05, 3), 0.01, 2.0**-16, 2.0**-12, Step(0.1, -128), 5000, 20000, 1)

SMALL = replace(PLAIN, time=0.01, state=0.1, spread=127, bias=1000, time_type="int8", state_zero=-50)


@st.composite
def svdfs(draw: st.DrawFn) -> Svdf:
    """States from nearly still to saturated."""
    state = 2.0 ** draw(st.integers(-15, -10))
    return Svdf(
        inputs=draw(st.integers(1, 20)),
        units=draw(st.integers(1, 7)),
        rank=draw(st.integers(1, 3)),
        memory=draw(st.integers(1, 10)),
        input=draw(steps(-7, -3)),
        features=2.0 ** draw(st.floats(-9, -6, allow_nan=False)),
        time=2.0 ** draw(st.integers(-17, -13)),
        state=state,
        output=draw(steps(-7, 0)),
        bias=draw(st.sampled_from((0, 1000, 100000))),
        spread=draw(st.sampled_from((100, 3000, 6000))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@st.composite
def small_svdfs(draw: st.DrawFn) -> Svdf:
    """Those with a state of 8 bits and a zero point, with which it can wrap."""
    return replace(
        draw(svdfs()),
        state=2.0 ** draw(st.integers(-7, -3)),
        state_zero=draw(st.integers(-128, 127)),
        time=2.0 ** draw(st.integers(-9, -7)),
        time_type="int8",
        spread=draw(st.sampled_from((10, 100, 127))),
        bias=draw(st.sampled_from((0, 100, 10000))),
    )


@ONE_BATCH
@given(batches(small_svdfs(), size=24))
def test_any_svdf_of_8_bits(cases: Batch) -> None:
    need_tflm()
    check(cases, sequences=SEQUENCES, reference=Reference.TFLM)


@ONE_BATCH
@given(batches(svdfs(), size=24))
def test_any_svdf(cases: Batch) -> None:
    need_tflm()
    check([*cases, PLAIN], sequences=SEQUENCES, reference=Reference.TFLM)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    need_tflm()
    cases = [PLAIN, replace(PLAIN, rank=1, memory=1, seed=2), replace(PLAIN, inputs=1, seed=3)]
    cases += [replace(PLAIN, activation=word, output=Step(0.1, 5)) for word in ("none", "relu")]
    cases += [replace(SMALL, state_zero=zero) for zero in (0, -50, 37)]
    check(cases, kernels=kernels, target="qemu", sequences=SEQUENCES, reference=Reference.TFLM)


def test_without_a_bias_it_is_zero(tmp_path: Path) -> None:
    """The interpreter ends itself on such a file."""
    without, zero = (layers_of(replace(PLAIN, bias=bias), tmp_path)[0] for bias in (-1, 0))
    assert without.fields == zero.fields
    for one, other in zip(without.arrays, zero.arrays, strict=True):
        assert np.array_equal(one.values, other.values)
    assert not without.arrays[-1].values.any()


@pytest.mark.parametrize(
    ("case", "what"),
    [
        (replace(PLAIN, activation="relu6"), "its activation is relu6, which the reference does not apply"),
        (
            replace(PLAIN, time_type="int32", spread=100),
            "its tensor of weights over time is int32; int16 or int8 with one scale is needed",
        ),
        (replace(PLAIN, state_zero=3), "its state of 16 bits have a zero point other than 0"),
        (replace(PLAIN, output=Step(1e-30, 0)), "the scale of its sums over time over that of its output is"),
        (
            replace(PLAIN, units=1, rank=1, memory=1, spread=1, bias=1 << 20, output=Step(2.0**-42, 0)),
            "the scale of its sums over time over that of its output is 1.64e+04",
        ),
        (replace(PLAIN, state=1e-30), "the scale of its features over that of its state is"),
    ],
)
def test_what_is_refused(tmp_path: Path, case: Svdf, what: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError) as caught:
        load_graph(path)
    assert what in str(caught.value)
    assert caught.value.remedy
