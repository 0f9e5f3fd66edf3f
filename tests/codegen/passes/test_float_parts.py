# SPDX-License-Identifier: Apache-2.0
"""Operators in float32 between layers of int8, against both reference interpreters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.ops.float_function import BINARY, CHOICES, COMPARISONS, KNOWN
from codegen.passes.legalise import load_graph
from tests.models.builder import PADDINGS, Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, layers_of, steps
from tests.support.tflm import need_tflm

SHAPE = (1, 16, 16)
FUSED = {"fusedActivationFunction": 0}
OPTIONS: dict[str, dict[str, Any]] = {**dict.fromkeys(("ADD", "DIV", "MUL", "SUB"), FUSED), "POW": {}}
POSITIVE = ("LOG", "POW", "RSQRT", "SQRT")  # defined for no value below 0
LACKING = {  # what the reference's interpreter has not in float32
    Reference.LITERT: {"CEIL", "ELU", "ROUND"},
    Reference.TFLM: {"POW", "RELU_N1_TO_1"},
}


@dataclass(frozen=True)
class Function:
    """DEQUANTIZE, one operator, QUANTIZE. constant: the other operand, first or second, of two"""

    op: str
    input: Step
    output: Step
    constant: float = 0.5
    first: bool = False

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x = model.tensor(SHAPE, "int8", self.input.scale, self.input.zero_point)
        real, result = model.tensor(SHAPE, "float32"), model.tensor(SHAPE, "float32")
        y = model.tensor(SHAPE, "int8", self.output.scale, self.output.zero_point)
        model.operator("DEQUANTIZE", [x], [real])
        operands = [real]
        if self.op in BINARY:
            operands.insert(0 if self.first else 1, model.constant(np.array([self.constant], np.float32)))
        options = {"alpha": self.constant} if self.op == "LEAKY_RELU" else OPTIONS.get(self.op)
        model.operator(self.op, operands, [result], options)
        model.operator("QUANTIZE", [result], [y])
        return model.ends([x], [y])


@st.composite
def functions(draw: st.DrawFn, ops: Sequence[str]) -> Function:
    """Any scales; zero points with which infinity is the same everywhere."""
    op = draw(st.sampled_from(ops))
    input_, output = draw(steps(-7, -3)), draw(steps(-7, 0))
    constant, first = draw(st.sampled_from((0.25, 3.0, 1.7))), draw(st.booleans())
    if op in POSITIVE:
        input_ = replace(input_, zero_point=-128)
    if op == "DIV" and first:  # by 0 from one side
        input_ = replace(input_, zero_point=-128)
    if op == "LOG":
        output = replace(output, zero_point=max(output.zero_point, 0))
    elif op in ("DIV", "EXP", "POW", "RSQRT"):
        output = replace(output, zero_point=min(output.zero_point, -1))
    return Function(op, input_, output, constant, first)


def ops_of(reference: Reference) -> list[str]:
    """Those that its interpreter has."""
    return sorted(KNOWN - {*LACKING[reference], *COMPARISONS, *CHOICES})


@ONE_BATCH
@given(batches(functions(ops_of(Reference.LITERT)), 80))
def test_any_function(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(functions(ops_of(Reference.TFLM)), 80))
def test_any_function_as_tensorflow_lite_micro_has_it(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


@pytest.mark.parametrize("reference", list(Reference), ids=lambda reference: reference.value)
def test_each_function(reference: Reference) -> None:
    if reference is Reference.TFLM:
        need_tflm()
    step, out = Step(0.03, -128), Step(0.05, -20)
    check([Function(op, step, out) for op in ops_of(reference) if op != "LOG"], reference=reference)
    check([Function("LOG", step, Step(0.05, 90))], reference=reference)


def test_on_a_cortex_m4() -> None:
    cases = [Function(op, Step(0.03, -128), Step(0.05, -20)) for op in ("SQUARE", "NEG", "RSQRT")]
    check(cases, target="qemu")


@dataclass(frozen=True)
class Chosen:
    """A float compared with a constant; where it is so one of two is taken, as floats or as int8."""

    op: str
    choice: str
    floats: bool
    first: bool = False  # the constant is compared with the float

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x = model.tensor(SHAPE, "int8", 0.05, 3)
        real, other = model.tensor(SHAPE, "float32"), model.tensor(SHAPE, "float32")
        model.operator("DEQUANTIZE", [x], [real])
        model.operator("EXP", [real], [other])
        truth = model.tensor(SHAPE, "bool")
        limit = model.constant(np.array(0.2, np.float32))
        model.operator(self.op, [limit, real] if self.first else [real, limit], [truth], {})
        y = model.tensor(SHAPE, "int8", 0.2, -100)
        if self.floats:
            taken = model.tensor(SHAPE, "float32")
            model.operator(self.choice, [truth, real, other], [taken], {})
            model.operator("QUANTIZE", [taken], [y])
        else:
            both = [model.tensor(SHAPE, "int8", 0.2, -100) for _ in range(2)]
            model.operator("QUANTIZE", [x], both[:1])
            model.operator("QUANTIZE", [other], both[1:])
            model.operator(self.choice, [truth, *both], [y], {})
        return model.ends([x], [y])


def test_what_is_chosen_by_a_comparison(tmp_path: Path) -> None:
    """Of floats one table; int8 is chosen by a table of 0 and 1."""
    cases = [
        Chosen(op, choice, floats, first)
        for op in sorted(COMPARISONS)
        for choice in CHOICES
        for floats in (True, False)
        for first in (True, False)
    ]
    check(cases)
    check(cases[::7], target="qemu")
    assert [layer.type for layer in layers_of(cases[0], tmp_path)] == ["table"]
    assert [layer.type for layer in layers_of(cases[2], tmp_path)].count("select") == 1
    need_tflm()
    newer = "SELECT_V2"  # TensorFlow Lite Micro has this one alone
    check([case for case in cases if case.choice == newer], reference=Reference.TFLM)


@dataclass(frozen=True)
class Parts:
    """Floats that are moved before each is an int8 of its own scale. op: SPLIT, or another one"""

    op: str
    function: str = ""  # before the move

    def build(self) -> Builder:
        """The model: 3 x 6 x 4 values."""
        model, shape = Builder(), (1, 3, 6, 4)
        x = model.tensor(shape, "int8", 0.1, 3)
        real = model.tensor(shape, "float32")
        model.operator("DEQUANTIZE", [x], [real])
        if self.function:
            after = model.tensor(shape, "float32")
            model.operator(self.function, [real], [after])
            real = after
        ends = [self._end(model, part, at) for at, part in enumerate(self._moved(model, real))]
        return model.ends([x], ends)

    def _moved(self, model: Builder, real: int) -> list[int]:
        number = model.constant(np.array(2, np.int32))
        if self.op == "SPLIT":
            parts = [model.tensor((1, 3, 2, 4), "float32") for _ in range(3)]
            model.operator("SPLIT", [number, real], parts, {"numSplits": 3})
        elif self.op == "TRANSPOSE":
            parts = [model.tensor((1, 6, 3, 4), "float32")]
            model.operator("TRANSPOSE", [real, model.constant(np.array([0, 2, 1, 3], np.int32))], parts)
        elif self.op == "MAX_POOL_2D":
            parts = [model.tensor((1, 1, 3, 4), "float32")]
            window = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
            model.operator(self.op, [real], parts, {**window, "padding": PADDINGS["valid"], **FUSED})
        else:
            parts = [model.tensor((1, 3, 4), "float32")]
            model.operator(self.op, [real, number], parts, {"keepDims": False})
        return parts

    @staticmethod
    def _end(model: Builder, part: int, at: int) -> int:
        shape = model.graph.tensors[part].shape
        y = model.tensor(shape, "int8", 0.1 + 0.05 * at, 3 - 20 * at)
        model.operator("QUANTIZE", [part], [y])
        return y


PARTS = (
    *map(Parts, ("SPLIT", "TRANSPOSE", "MAX_POOL_2D", "REDUCE_MAX", "REDUCE_MIN")),
    Parts("SPLIT", "ABS"),
    Parts("REDUCE_MAX", "TANH"),
)


def test_floats_that_are_moved() -> None:
    check(PARTS)
    need_tflm()
    check([case for case in PARTS if "SPLIT" not in case.op], reference=Reference.TFLM)


def test_moves_on_a_cortex_m4() -> None:
    check(PARTS, target="qemu")


def test_the_largest_of_what_falls() -> None:
    """The largest square is not the square of the largest: a table of ranks comes before."""
    cases = [
        Parts(op, function)
        for op in ("REDUCE_MAX", "REDUCE_MIN", "MAX_POOL_2D")
        for function in ("SQUARE", "ABS", "NEG", "COS")
    ]
    check(cases)
    check(cases[::3], target="qemu")


def test_the_largest_of_what_is_no_number_stays_in_float(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(Parts("REDUCE_MAX", "SQRT").build().bytes())
    with pytest.raises(UserError, match="REDUCE_MAX computes in float between layers of int8"):
        load_graph(path)


@dataclass(frozen=True)
class Softplus:
    """log(1 + exp(x)), each an int8 of its own: of 0, which no sum has, there is no logarithm."""

    added: float = 1.0

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x, exp, total = (model.tensor(SHAPE, "int8", scale, zero) for scale, zero in STEPS_OF_SOFTPLUS)
        y = model.tensor(SHAPE, "int8", 0.03, -128)
        reals = [model.tensor(SHAPE, "float32") for _ in range(4)]
        model.operator("DEQUANTIZE", [x], reals[:1])
        model.operator("EXP", reals[:1], reals[1:2])
        model.operator("QUANTIZE", reals[1:2], [exp])
        one = model.constant(np.array(round(self.added / 0.02), np.int8), 0.02, 0)
        model.operator("ADD", [exp, one], [total], FUSED)
        model.operator("DEQUANTIZE", [total], reals[2:3])
        model.operator("LOG", reals[2:3], reals[3:])
        model.operator("QUANTIZE", reals[3:], [y])
        return model.ends([x], [y])


STEPS_OF_SOFTPLUS = ((0.05, 3), (0.9, -128), (0.95, -128))


def test_what_no_value_reaches_need_not_be_defined(tmp_path: Path) -> None:
    check([Softplus(), Softplus(2.0)])
    check([Softplus()], target="qemu")
    path = tmp_path / "model.tflite"
    path.write_bytes(Softplus(0.0).build().bytes())
    with pytest.raises(UserError, match="LOG in float gives -inf steps"):
        load_graph(path)
    need_tflm()
    check([Softplus(), Softplus(2.0)], reference=Reference.TFLM)


@dataclass(frozen=True)
class Mish:
    """x * tanh(log(1 + exp(x))): the float is read twice."""

    def build(self) -> Builder:
        """The model: 16 x 16 values."""
        model = Builder()
        x = model.tensor(SHAPE, "int8", 0.05, 0)
        reals = [model.tensor(SHAPE, "float32") for _ in range(6)]
        one = model.constant(np.array(1, np.float32))
        model.operator("DEQUANTIZE", [x], [reals[0]])
        model.operator("EXP", [reals[0]], [reals[1]])
        model.operator("ADD", [reals[1], one], [reals[2]], FUSED)
        model.operator("LOG", [reals[2]], [reals[3]])
        model.operator("TANH", [reals[3]], [reals[4]])
        model.operator("MUL", [reals[0], reals[4]], [reals[5]], FUSED)
        y = model.tensor(SHAPE, "int8", 0.04, -90)
        model.operator("QUANTIZE", [reals[5]], [y])
        return model.ends([x], [y])


def test_several_operators_are_one_table(tmp_path: Path) -> None:
    check([Mish()])
    assert [layer.type for layer in layers_of(Mish(), tmp_path)] == ["table"]


@pytest.mark.parametrize(("op", "scale"), [("MUL", 1.0), ("MAXIMUM", 1.0), ("ADD", 2.0**-60)])
def test_a_long_chain_that_reads_each_float_twice(op: str, scale: float, tmp_path: Path) -> None:
    """Each float is worked out once: as a tree this one would have 2^60 leaves, or be 2,000 deep."""
    model = Builder()
    x = model.tensor((1, 4), "int8", 1 / 256, 0)
    count = 60 if op != "MAXIMUM" else 2000
    reals = [model.tensor((1, 4), "float32") for _ in range(count + 1)]
    model.operator("DEQUANTIZE", [x], [reals[0]])
    for before, after in itertools.pairwise(reals):
        model.operator(op, [before, before], [after], FUSED if op != "MAXIMUM" else {})
    y = model.tensor((1, 4), "int8", 1 / (256 * scale), 0)
    model.operator("QUANTIZE", [reals[-1]], [y])
    graph = load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
    (node,) = graph.nodes
    assert node.op == "FLOAT_FUNCTION"
    real = node.options["real"]
    assert real.ops == (op,)
    inputs = np.arange(-128, 128) / 256
    expected = {"MUL": np.zeros(256), "MAXIMUM": inputs, "ADD": inputs * 2.0**60}[op]
    assert np.allclose(real.values, expected, atol=1e-30)


def test_operands_of_two_tensors_stay_in_float(tmp_path: Path) -> None:
    model = Builder()
    ends = [model.tensor((1, 4), "int8", 0.1, 0) for _ in range(2)]
    reals = [model.tensor((1, 4), "float32") for _ in range(3)]
    for end, real in zip(ends, reals, strict=False):
        model.operator("DEQUANTIZE", [end], [real])
    model.operator("POW", reals[:2], [reals[2]], {})
    y = model.tensor((1, 4), "int8", 0.1, 0)
    model.operator("QUANTIZE", [reals[2]], [y])
    with pytest.raises(UserError, match="POW computes in float between layers of int8"):
        load_graph(model.write(tmp_path / "model.tflite", ends, [y]))


@pytest.mark.parametrize(
    ("case", "what"),
    [
        (Function("SQRT", Step(0.1, 0), Step(0.1, 0)), "SQRT in float gives nan steps of its output where"),
        (
            Function("LOG", Step(0.1, -128), Step(0.1, -1)),
            "gives -inf steps of its output where its input is 0",
        ),
        (
            Function("RSQRT", Step(0.1, -128), Step(0.1, 0)),
            "gives inf steps of its output where its input is 0",
        ),
        (Function("EXP", Step(0.5, 0), Step(0.1, 0)), "steps of its output where its input is"),
    ],
)
def test_what_is_not_defined_is_refused(case: Function, what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError, match=what):
        load_graph(path)
