# SPDX-License-Identifier: Apache-2.0
"""Sums, products, activations, softmax of 16-bit activations against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check, layers_of
from tests.support.tflm import need_tflm

SIGMOIDS = ("LOGISTIC", "TANH", "SOFTMAX")  # with outputs in steps of 1/32768


def scales(low: float, high: float) -> st.SearchStrategy[float]:
    """Any float32 scale of 2^low .. 2^high, powers of two among them."""
    powers = st.one_of(st.floats(low, high), st.integers(int(low), int(high)))
    return powers.map(lambda power: float(np.float32(2.0**power)))


@dataclass(frozen=True)
class Pair:
    """Two operands: a constant of the shape `other`, or two parts of the input."""

    op: str
    shape: tuple[int, ...]
    other: tuple[int, ...] = ()
    first: bool = False  # the constant is the first operand
    activation: str = "none"
    powers: bool = True  # the file allows scales that are powers of two to be shifted
    scale: float = 2.0**-12 * 1.1
    other_scale: float = 2.0**-13 * 1.3
    output_scale: float = 2.0**-11 * 1.2
    seed: int = 0

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        x = model.tensor(self.shape, "int16", self.scale)
        if self.other:
            values = random.integers(-32768, 32768, self.other).astype(np.int16)
            other = model.constant(values, self.other_scale)
        else:
            factor = model.constant(random.integers(-32768, 32768, self.shape).astype(np.int16), 2.0**-15)
            other = model.tensor(self.shape, "int16", self.other_scale)
            model.operator("MUL", [x, factor], [other], {"fusedActivationFunction": 0})
        operands = [other, x] if self.first else [x, other]
        shape = np.broadcast_shapes(self.shape, self.other or self.shape)
        y = model.tensor(shape, "int16", self.output_scale)
        options = (
            {}
            if self.op in ("MAXIMUM", "MINIMUM")
            else {"fusedActivationFunction": ACTIVATIONS[self.activation]}
        )
        if self.op in ("ADD", "SUB"):
            options["potScaleInt16"] = self.powers
        model.operator(self.op, operands, [y], options)
        return model.ends([x], [y])


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Any of them; scales that are all powers of two are drawn by themselves."""
    shape = (1, *draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    kept = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    other = tuple(size if keep else 1 for size, keep in zip(shape, kept, strict=True))
    return Pair(
        op=draw(st.sampled_from(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"))),
        shape=shape,
        other=draw(st.sampled_from((other, ()))),
        first=draw(st.booleans()),
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        powers=draw(st.booleans()),
        scale=float(np.float32(2.0 ** draw(st.floats(-16, -10)) * 1.01)),
        other_scale=float(np.float32(2.0 ** draw(st.floats(-16, -10)))),
        output_scale=float(np.float32(2.0 ** draw(st.floats(-16, -8)) * 1.03)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def shifted() -> list[Pair]:
    """Scales that are powers of two: one operand is shifted."""
    first = Pair("ADD", (1, 4, 7), scale=2.0**-12, other_scale=2.0**-15, output_scale=2.0**-12)
    found = [
        first,
        replace(first, scale=2.0**-14, other_scale=2.0**-12),
        replace(first, other_scale=2.0**-12),
    ]
    found += [replace(case, activation="relu6") for case in found]
    found += [replace(case, op="SUB") for case in found]
    return [*found, replace(first, op="SUB", other=(1, 1, 7)), replace(first, powers=False)]


@ONE_BATCH
@given(batches(pairs()))
def test_any_pair(cases: Batch) -> None:
    check(cases)


def test_scales_that_are_powers_of_two(tmp_path: Path) -> None:
    kernels = [layers_of(case, tmp_path)[-1].kernel for case in shifted()]
    assert all("shifted" in kernel for kernel in kernels[:-1])
    assert kernels[-1] == "add_16x8"
    check(shifted())


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (replace(shifted()[0], scale=2.0**-11), "an operand's is coarser than the output's"),
        (replace(shifted()[0], scale=2.0**-13), "or both are finer"),
        (replace(shifted()[0], other=(1, 1, 7)), "its operands' shapes differ"),
        (replace(shifted()[-1], output_scale=2.0**-28), "over 2\\^14 times its output's"),
    ],
)
def test_sums_that_the_reference_does_not_define_are_refused(case: Pair, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError, match=said):
        load_graph(path)


@dataclass(frozen=True)
class Function:
    """A model of one function of each value, or of each row."""

    op: str
    shape: tuple[int, ...] = (1, 4, 40)
    scale: float = 2.0**-12
    output_scale: float = 2.0**-13
    alpha: float = 0.3  # or SOFTMAX's beta
    approximate: bool = False  # of a GELU

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor(self.shape, "int16", self.scale)
        output_scale = 1 / 32768 if self.op in SIGMOIDS else self.output_scale
        y = model.tensor(self.shape, "int16", output_scale)
        options: dict[str, Any] | None = None
        if self.op in ("LEAKY_RELU", "SOFTMAX"):
            options = {"alpha" if self.op == "LEAKY_RELU" else "beta": self.alpha}
        if self.op == "GELU":
            options = {"approximate": self.approximate}
        model.operator(self.op, [x], [y], options)
        return model.ends([x], [y])


def functions() -> st.SearchStrategy[Function]:
    """Any of them."""
    relus = ("RELU", "RELU6", "LEAKY_RELU")
    plain = st.builds(
        Function,
        st.sampled_from(relus),
        scale=scales(-16, -8),
        output_scale=scales(-16, -8),
        alpha=st.sampled_from((0.01, 0.3, 1.7, -0.5)),
    )
    tables = st.builds(Function, st.sampled_from(("LOGISTIC", "TANH")), scale=scales(-20, 2))
    softmaxes = st.builds(
        Function,
        st.just("SOFTMAX"),
        st.tuples(st.just(1), st.integers(1, 3), st.integers(1, 40)),
        scale=scales(-16, -5),
        alpha=st.sampled_from((1.0, 1.0, 0.7)),
    )
    lines = st.builds(
        Function,
        st.sampled_from(("GELU", "EXP", "ABS")),
        scale=scales(-18, -9),
        output_scale=scales(-16, -6),
        approximate=st.booleans(),
    )
    return st.one_of(plain, tables, softmaxes, lines)


@ONE_BATCH
@given(batches(functions()))
def test_any_function(cases: Batch) -> None:
    check(cases)


def every_value() -> list[Function]:
    """All 65,536 values and more, at scales of each kind."""
    shape = (1, 3000)  # times the rows that check() draws
    return [
        *(Function(op, shape, scale) for op in ("LOGISTIC", "TANH") for scale in (2.0**-12, 2.0**-11, 3e-4)),
        Function("SOFTMAX", (1, 600, 5), 4e-4, alpha=1.0),
        Function("LEAKY_RELU", shape),
        Function("GELU", shape, 2.0**-13, 2.0**-13),
        Function("GELU", shape, 3e-4, 1e-7),  # lines that rise by more than 16 bits
        Function("GELU", shape, 3e-4, 2.5e-4, approximate=True),
        Function("EXP", shape, 1e-4, 9e-4),
        Function("ABS", shape, 3e-4, 3e-4),
        Function("ABS", shape, 3e-4, 2e-4),
    ]


def test_many_values_of_functions() -> None:
    check(every_value())


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Function("EXP", scale=0.003), "its input reaches 98.3; up to 88 is possible"),
        (Function("GELU", scale=1.0, output_scale=1e-27), "its output's scale is too small for its input's"),
        (Function("SQRT"), "its input is int16; int8 is needed"),
    ],
)
def test_functions_that_are_refused(case: Function, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError, match=said):
        load_graph(path)


def test_a_long_softmax() -> None:
    check([Function("SOFTMAX", (1, 3000), 2e-5, alpha=1.0)])


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    small = [replace(case, shape=(1, 2, 30)) for case in every_value()]
    every = [Pair(op, (1, 4, 5)) for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")]
    check([*small, *every, *shifted()[:2]], kernels=kernels, target="qemu")


def test_as_tensorflow_lite_micro_has_them() -> None:
    need_tflm()
    every = [Pair(op, (1, 4, 5)) for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")]
    functions = [Function(op) for op in ("RELU", "RELU6", "LEAKY_RELU")]
    softmax = Function("SOFTMAX", (1, 60, 5), 4e-4, alpha=0.7)
    known = [case for case in every_value() if case.op not in ("GELU", "EXP")]  # in float and int8 alone
    check([*known, softmax, *every, *shifted(), *functions], reference=Reference.TFLM)
