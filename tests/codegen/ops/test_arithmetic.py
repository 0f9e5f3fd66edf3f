# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB, MUL, MAXIMUM, MINIMUM against the reference: tensors, constants, broadcasting, joined tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import ACTIVATIONS, Builder
from tests.models.networks import Network
from tests.support.exact import BATCHES, ONE_BATCH, Batch, Step, batches, check, layers_of, steps
from tests.support.models_c import ModelsC

PLAIN = ("PRELU", "SQUARED_DIFFERENCE")  # operators without options


@dataclass(frozen=True)
class Arithmetic:
    """input OP other. other: a constant, or the input through another table (so that it is computed)."""

    op: str
    shape: tuple[int, ...]
    other: tuple[int, ...]  # shape of the constant, with all dimensions
    constant: str  # "first", "second", or "none": then the other operand is computed
    activation: str
    input_: Step
    other_step: Step
    output: Step
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        x = model.tensor(self.shape, "int8", self.input_.scale, self.input_.zero_point)
        if self.constant == "none":
            # a product with a constant of the whole shape makes a second computed operand
            values = random.integers(-128, 128, self.shape, dtype=np.int8)
            factor = model.constant(values, 1 / 64)
            other = model.tensor(self.shape, "int8", self.other_step.scale, self.other_step.zero_point)
            model.operator("MUL", [x, factor], [other], {"fusedActivationFunction": 0})
        else:
            values = random.integers(-128, 128, self.other, dtype=np.int8)
            other = model.constant(values, self.other_step.scale, self.other_step.zero_point)
        operands = [other, x] if self.constant == "first" else [x, other]
        shape = np.broadcast_shapes(self.shape, self.other)
        y = model.tensor(shape, "int8", self.output.scale, self.output.zero_point)
        fused = {"fusedActivationFunction": ACTIVATIONS[self.activation]}
        options = {"MAXIMUM": {}, "MINIMUM": {}, **dict.fromkeys(PLAIN)}.get(self.op, fused)
        model.operator(self.op, operands, [y], options)
        return model.ends([x], [y])


@st.composite
def arithmetics(draw: st.DrawFn) -> Arithmetic:
    """Any ADD or MUL of up to four dimensions."""
    shape = (1, *draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    constant = draw(st.sampled_from(("first", "second", "none")))
    kept = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    other = tuple(size if keep else 1 for size, keep in zip(shape, kept, strict=True))
    if constant != "none" and draw(st.booleans()):
        shape, other = _mix(draw, shape, other)
    drop = draw(st.integers(0, len(shape) - 1)) if all(size == 1 for size in other[:-1]) else 0
    return Arithmetic(
        op=draw(st.sampled_from(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"))),
        shape=shape,
        other=shape if constant == "none" else other[drop:],
        constant=constant,
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        input_=draw(steps(-6, 0)),
        other_step=draw(steps(-6, 0)),
        output=draw(steps(-6, 2)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def _mix(
    draw: st.DrawFn, shape: tuple[int, ...], other: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lets the input be the smaller one along some axis."""
    axis = draw(st.integers(1, len(shape) - 1))
    size = draw(st.integers(2, 5))
    narrow = (*shape[:axis], 1, *shape[axis + 1 :])
    wide = (*other[:axis], size, *other[axis + 1 :])
    return narrow, wide


@BATCHES
@given(batches(arithmetics()))
def test_any_sum_or_product(cases: Batch) -> None:
    check(cases)


def _fits(case: Arithmetic, op: str) -> bool:
    """PRELU's second operand are its slopes: it is not the larger."""
    whole = np.broadcast_shapes(case.shape, case.other) == case.shape
    return op != "PRELU" or (case.constant != "first" and whole)


@pytest.mark.parametrize("op", PLAIN)
def test_any_other_pair(op: str) -> None:
    @ONE_BATCH
    @given(batches(arithmetics().filter(lambda case: _fits(case, op))))
    def each(cases: Batch) -> None:
        others = [replace(case, op=op, activation="none") for case in cases]
        check(others)
        check(others[::4], reference=Reference.TFLM)

    each()


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = []
    for seed, (shape, other, constant) in enumerate(
        [
            ((1, 3, 4, 5), (5,), "second"),
            ((1, 3, 4, 5), (1, 1, 1, 1), "first"),
            ((1, 3, 4, 5), (1, 3, 1, 5), "second"),
            ((1, 3, 1, 5), (1, 1, 4, 5), "first"),
            ((1, 3, 4, 5), (1, 3, 4, 5), "none"),
        ]
    ):
        for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", *PLAIN):
            step = Step(0.1, 3)
            case = Arithmetic(op, shape, other, constant, "none", step, step, Step(0.2, -4), seed)
            cases += [case] if _fits(case, op) else []
    check(cases, kernels=kernels, target="qemu")


TENSORS = ((1, 16, 16, 8), (1, 16, 16, 8), "none")  # two computed ones
CHANNELS = ((1, 4, 4, 40), (40,), "second")  # a constant a channel: more than get tables
REPEATED = ((1, 4, 5, 20), (1, 4, 5, 1), "first")  # one value for all channels
WIDE, FINE, EVEN = Step(0.1, 3), Step(0.05, -128), Step(0.25, -7)


def _case(op: str, operands: tuple[tuple[int, ...], tuple[int, ...], str], *steps: Step) -> Arithmetic:
    """steps: of both operands and the output"""
    shape, other, constant = operands
    a, b, output = steps
    return Arithmetic(op, shape, other, constant, "none", a, b, output, 7)


def _clamped(case: Arithmetic, activation: str) -> Arithmetic:
    return replace(case, activation=activation)


# Kernel -> what reaches it.
FORMS = {
    "add_once": [
        _clamped(_case(op, operands, a, b, output), activation)
        for op in ("ADD", "SUB")
        for operands in (TENSORS, CHANNELS)
        for a, b, output, activation in (
            (WIDE, FINE, Step(0.2, -4), "none"),
            (FINE, Step(1.0, 127), Step(0.07, -128), "relu"),
            (EVEN, EVEN, EVEN, "none"),  # no fraction at all
            (EVEN, EVEN, Step(0.5, 5), "none"),  # a half at every other pair, away from zero
            (EVEN, Step(0.125, 9), Step(1.0, 0), "none"),
            (Step(6.1e-5, 2), WIDE, Step(0.11, 0), "none"),
        )
    ],
    "add": [
        _clamped(_case("ADD", CHANNELS, WIDE, FINE, Step(0.2, 0)), "relu"),
        _clamped(_case("ADD", TENSORS, WIDE, FINE, Step(0.2, -100)), "relu6"),
        _case("ADD", REPEATED, WIDE, FINE, Step(0.2, 0)),
    ],
    "add_difference": [
        _clamped(_case("SUB", CHANNELS, WIDE, FINE, Step(0.2, 0)), "relu"),
        _case("SUB", REPEATED, WIDE, FINE, Step(0.2, 0)),
    ],
    "multiply_short": [
        _clamped(_case("MUL", operands, a, b, output), activation)
        for operands in (TENSORS, CHANNELS)
        for a, b, output, activation in (
            (WIDE, FINE, Step(0.2, -4), "none"),
            (Step(0.0645, 11), Step(0.00474, -128), Step(0.0573, -5), "none"),  # rounds up to a half first
            (EVEN, EVEN, Step(0.5, -128), "relu"),
            (WIDE, WIDE, Step(0.0201, 90), "none"),  # little below one half
            (WIDE, FINE, Step(24000.0, 127), "none"),  # the largest shift
        )
    ],
    "multiply": [
        _clamped(_case("MUL", CHANNELS, WIDE, FINE, Step(0.2, 0)), "relu"),
        _case("MUL", CHANNELS, WIDE, WIDE, Step(0.0199, 0)),  # above one half
        _case("MUL", CHANNELS, WIDE, FINE, Step(60000.0, 127)),  # beyond the largest shift
        _case("MUL", REPEATED, WIDE, FINE, Step(0.2, 0)),
    ],
}


@pytest.mark.parametrize("kernel", FORMS)
def test_each_form_of_a_sum_or_product(kernel: str, tmp_path: Path) -> None:
    cases = FORMS[kernel]
    for case in cases:
        assert layers_of(case, tmp_path)[-1].kernel == kernel, case
    check(cases)
    check(cases[::3], kernels="fast", target="qemu")


def test_every_pair_of_operands() -> None:
    """24 random inputs of 65,536 values beside a constant that has each value 256 times."""
    whole = ((1, 256, 256), (1, 256, 256), "second")
    check(
        [
            _case("ADD", whole, WIDE, Step(0.073, -9), Step(0.12, -4)),
            _case("SUB", whole, EVEN, EVEN, Step(0.5, 5)),
            _case("MUL", whole, Step(0.0645, 11), Step(0.00474, -128), Step(0.0173, -5)),
        ]
    )


def test_a_batch_normalisation_is_one_table(tmp_path: Path) -> None:
    """MUL then ADD of constants a channel: one layer, with the interpreter's bits."""
    network = Network(3, (1, 4, 4, 6), 0.05, -10)
    network.per_channel("MUL")
    network.per_channel("ADD")
    path = network.save(tmp_path / "bn.tflite")
    layers = lower(load_graph(path)).layers
    assert [layer.kernel for layer in layers] == ["table"]
    assert layers[0].arrays[0].nbytes == 6 * 256

    class Whole:
        def build(self) -> Builder:
            return network

    check([Whole()])


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
def test_tables_of_many_channels_are_for_fast_kernels(op: str, tmp_path: Path) -> None:
    """17 tables of 256 bytes stand for 17 constants: with "small" the constants alone, element by element."""
    a, b = Step(0.05, 3), Step(0.03, -7)
    alone = "multiply_short" if op == "MUL" else "add_once"
    for channels, small in ((16, "table"), (17, alone), (64, alone), (65, alone)):
        case = Arithmetic(op, (1, 4, 4, channels), (channels,), "second", "none", a, a, b, 5)
        path = tmp_path / f"{channels}.tflite"
        path.write_bytes(case.build().bytes())
        graph = load_graph(path)
        kernels = [lower(graph, fast=fast).layers[-1].kernel for fast in (False, True)]
        assert kernels == [small, "table" if channels <= 64 else alone]
        for mode in ("small", "fast"):
            check([case], kernels=mode)


def test_the_device_multiplies_in_double(tmp_path: Path) -> None:
    """Reference.TFLM: MUL's multiplier from a double product; it differs only beside a half."""
    model = Builder()
    x = model.tensor((1, 1), "int8", 0.1, 0)
    c = model.constant(np.array([[77]], np.int8), 0.07)
    y = model.tensor((1, 1), "int8", 0.013, 0)
    model.operator("MUL", [x, c], [y], {"fusedActivationFunction": 0})
    graph = load_graph(model.write(tmp_path / "mul.tflite", [x], [y]))
    rows = np.arange(-128, 128, dtype=np.int8).reshape(-1, 1)
    scales = [np.float64(graph.tensors[index].quantization.scale) for index in (x, c, y)]  # type: ignore[union-attr]
    (found,) = ModelsC([graph], reference=Reference.TFLM).run([rows])
    exact = rows.astype(float).reshape(-1) * 77 * float(scales[0] * scales[1] / scales[2])
    assert (np.abs(found.reshape(-1) - np.clip(exact, -128, 127)) <= 0.5 + 1e-3).all()
