# SPDX-License-Identifier: Apache-2.0
"""UNIDIRECTIONAL_SEQUENCE_LSTM against both reference interpreters: one run, and runs in a row."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.codegen.ops.test_variable import check_stream
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, steps
from tests.support.shared import shared

SEQUENCES = (False, True)
LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


@dataclass(frozen=True)
class Lstm:
    """A plain LSTM. weights: their scales, of the input and of the hidden state, gate by gate"""

    time: int
    inputs: int
    units: int
    input: Step
    hidden: Step  # of the state
    inner: Step  # of what the file calls the intermediate
    cell_bits: int
    clip: float
    weights: tuple[float, ...]
    bias: int  # largest
    time_major: bool
    seed: int
    lowest: int = -127  # weight

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        time, units = self.time, self.units
        shapes = [(time, 1, each) if self.time_major else (1, time, each) for each in (self.inputs, units)]
        x = model.tensor(shapes[0], "int8", self.input.scale, self.input.zero_point)
        operands = [-1] * 24
        operands[0] = x
        for place, scale in enumerate(self.weights, start=1):
            size = (units, self.inputs if place < 5 else units)
            operands[place] = model.constant(random.integers(self.lowest, 128, size, dtype=np.int8), scale)
        for place in range(12, 16):
            bias = random.integers(-self.bias, self.bias + 1, units).astype(np.int32)
            operands[place] = model.constant(bias, 2.0**-20)
        hidden = (self.hidden.scale, self.hidden.zero_point)
        operands[18] = model.tensor((1, units), "int8", *hidden, variable=True)
        operands[19] = model.tensor((1, units), "int16", 2.0**-self.cell_bits, variable=True)
        nothing = [model.tensor((0,), "float32") for _ in range(4)]
        inner = model.tensor((0,), "int8", self.inner.scale, self.inner.zero_point)
        y = model.tensor(shapes[1], "int8", self.inner.scale, self.inner.zero_point)
        options = {"fusedActivationFunction": 4, "cellClip": self.clip, "timeMajor": self.time_major}
        model.operator(LSTM, operands, [y], options, intermediates=[*nothing, inner])
        # the first axis is the rows' where models are run
        if self.time_major:
            first = model.tensor((1, time, self.inputs), "int8", self.input.scale, self.input.zero_point)
            last = model.tensor((1, time, units), "int8", self.inner.scale, self.inner.zero_point)
            model.operator("RESHAPE", [y, model.constant(np.array([1, time, units], np.int32))], [last])
            model.operator("RESHAPE", [first, model.constant(np.array(shapes[0], np.int32))], [x])
            model.graph.operators.insert(0, model.graph.operators.pop())
            x, y = first, last
        return model.ends([x], [y])


@st.composite
def lstms(draw: st.DrawFn) -> Lstm:
    """Gates from nearly linear to saturated, clipped cells and open ones."""
    powers = st.floats(-9, -5, allow_nan=False)
    hidden = draw(steps(-9, -5))
    return Lstm(
        time=draw(st.integers(1, 5)),
        inputs=draw(st.integers(1, 9)),
        units=draw(st.integers(1, 7)),
        input=draw(steps(-7, -3)),
        hidden=hidden,
        inner=draw(st.one_of(st.just(hidden), st.just(hidden), steps(-9, -5))),
        cell_bits=draw(st.integers(9, 15)),
        clip=draw(st.sampled_from((0.0, 0.3, 10.0))),
        weights=tuple(float(np.float32(2.0 ** draw(powers))) for _ in range(8)),
        bias=draw(st.sampled_from((0, 1000, 100000))),
        time_major=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


PLAIN = Lstm(
    3, 4, 5, Step(0.03, 3), Step(0.008, -10), Step(0.008, -10), 12, 10.0, (0.01,) * 8, 1000, False, 1
)


@ONE_BATCH
@given(batches(lstms(), size=24))
def test_any_lstm(cases: Batch) -> None:
    check(cases, sequences=SEQUENCES)


@ONE_BATCH
@given(batches(lstms(), size=12))
def test_any_lstm_of_tflm(cases: Batch) -> None:
    check(cases, sequences=(True,), reference=Reference.TFLM)


@pytest.mark.parametrize("reference", list(Reference))
def test_any_number_of_fraction_bits(reference: Reference) -> None:
    """Of the cell state: each has its own form of the tangent."""
    scales = (0.002, 0.02, 0.2)
    cases = [
        replace(PLAIN, cell_bits=9 + seed, weights=(scales[seed % 3],) * 8, seed=seed) for seed in range(7)
    ]
    check(cases, sequences=(True,), reference=reference)


WIDE = replace(PLAIN, lowest=-128, seed=3)  # two gates a word would not be exact


@pytest.mark.parametrize("reference", list(Reference))
def test_weights_that_take_two_bytes(reference: Reference) -> None:
    """A weight of -128, and sums of more products than one byte a weight keeps exact."""
    long = replace(PLAIN, time=1, inputs=520, input=Step(0.003, 3))
    cases = [WIDE, long, replace(long, inputs=512)]
    forms = ["lstm_int16", "lstm_int16", "lstm"]
    assert [kernel_of(case) for case in cases] == forms
    check(cases, sequences=(True,), reference=reference)


@dataclass(frozen=True)
class Gates:
    """An LSTM of one step whose gates are its biases: Q3.12, in the order input, forget, cell, output."""

    gates: tuple[int, int, int, int]
    scale: float  # of the output

    def build(self) -> Builder:
        """The model: weights of 0, and scales whose product is 2^-12."""
        model = Lstm(1, 1, 1, *STEPS, Step(self.scale, -128), 12, 0.0, (2.0**-6,) * 8, 0, False, 0).build()
        lstm = model.graph.operators[0]
        lstm.inputs[1:9] = [model.constant(np.zeros((1, 1), np.int8), 2.0**-6) for _ in range(8)]
        lstm.inputs[12:16] = [model.constant(np.array([gate], np.int32), 2.0**-12) for gate in self.gates]
        return model


STEPS = (Step(2.0**-6, 0), Step(2.0**-6, 0))  # of the input and the hidden state


@pytest.mark.parametrize("reference", list(Reference))
def test_gates_at_a_half(reference: Reference) -> None:
    """Where 32/17 of the logistic function's denominator is halfway between two numbers."""
    forget = [Gates((32767, 0, 32767, -5678), 2 * 6557 / (1 << 16) / level) for level in range(204, 220)]
    out = [Gates((-5678, 0, 32767, 32767), 2 * 6414 / (1 << 16) / level) for level in range(228, 240)]
    check(forget + out, reference=reference)


def kernel_of(case: Lstm) -> str:
    """That LiteRT's bits come from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(case.build().bytes())
        (layer,) = lower(load_graph(path)).layers
    return layer.kernel


@pytest.mark.parametrize("reference", list(Reference))
@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str, reference: Reference) -> None:
    cases = [PLAIN, replace(PLAIN, time=1, cell_bits=15, clip=0.0), replace(PLAIN, time_major=True, seed=2)]
    cases += [WIDE, replace(PLAIN, inputs=20, units=17)]
    check(cases, kernels=kernels, target="qemu", sequences=SEQUENCES, reference=reference)


def refused(folder: Path, model: Builder) -> str:
    """The message."""
    path = folder / "model.tflite"
    path.write_bytes(model.bytes())
    with pytest.raises(UserError) as caught:
        load_graph(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ((9, 10, 11), "peephole connections"),
        ((16,), "a projection"),
        ((20, 21, 22, 23), "layer normalisation"),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, places: tuple[int, ...], words: str) -> None:
    model = PLAIN.build()
    for place in places:
        model.graph.operators[0].inputs[place] = model.constant(np.ones(5, np.int16), 2.0**-15)
    assert f"it has {words}, which is not supported" in refused(tmp_path, model)


def test_a_coupled_input_gate_is_named(tmp_path: Path) -> None:
    model = PLAIN.build()
    for place in (1, 5, 12):
        model.graph.operators[0].inputs[place] = -1
    assert "(CIFG)" in refused(tmp_path, model)


def test_another_activation(tmp_path: Path) -> None:
    model = PLAIN.build()
    model.graph.operators[0].builtinOptions.fusedActivationFunction = 1
    assert 'its activation is relu; "tanh" is needed' in refused(tmp_path, model)


def test_states_that_are_none(tmp_path: Path) -> None:
    model = PLAIN.build()
    model.graph.tensors[model.graph.operators[0].inputs[19]].type = 9
    assert "its cell state is int8; int16 with one scale is needed" in refused(tmp_path, model)
    model = PLAIN.build()
    model.graph.tensors[model.graph.operators[0].inputs[19]].quantization.scale = [0.0003]
    assert "a power of 2 from 2^-15 to 2^-9 is needed" in refused(tmp_path, model)
    model = PLAIN.build()
    model.graph.operators[0].inputs[18] = model.constant(np.zeros((1, 5), np.int8), 0.008)
    assert "its hidden state is no variable" in refused(tmp_path, model)


def test_no_intermediates(tmp_path: Path) -> None:
    model = PLAIN.build()
    model.graph.operators[0].intermediates = []
    assert "it has no scale for what leaves it" in refused(tmp_path, model)


def test_a_state_is_the_lstms_alone(tmp_path: Path) -> None:
    model = PLAIN.build()
    lstm = model.graph.operators[0]
    y = model.tensor((1, 3, 5), "int8", 0.008, -10)
    model.operator("ADD", [lstm.outputs[0], lstm.inputs[18]], [y], {})
    model.graph.outputs = [y]
    assert "it reads or writes a variable that is no state of its own" in refused(tmp_path, model)
    model = PLAIN.build()
    model.graph.outputs = [model.graph.operators[0].inputs[18]]
    assert "the output is a state of an operator" in refused(tmp_path, model)


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    model = PLAIN.build()
    model.graph.operators[0].inputs[7] = model.constant(np.ones((5, 4), np.int8), 0.01)
    assert "the weights of its cell gate are [5, 4]; [5, 5] are needed" in refused(tmp_path, model)


def test_scales_too_far_apart(tmp_path: Path) -> None:
    assert "gate over 2^-12" in refused(tmp_path, replace(PLAIN, input=Step(1e6, 0)).build())


def test_the_states_start_at_what_zero_is(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(PLAIN.build().bytes())
    hidden, cell = load_graph(path).variables
    assert (hidden.initial == -10).all()
    assert (cell.initial == 0).all()
    assert (hidden.shape, cell.dtype) == ((1, 5), "int16")


def test_what_keras_writes() -> None:
    """Every value of runs in a row, and of runs that each begin anew."""
    path = shared("cases/01-lstm-svdf-refused-as-damaged/k2_lstm_fused.tflite")
    graph = load_graph(path)
    assert [node.op for node in graph.nodes] == [LSTM, "STRIDED_SLICE", "FULLY_CONNECTED", "SOFTMAX"]
    assert lower(graph).layers[0].type == "lstm"
    check_stream([path])
