# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import ai_edge_litert.schema_py_generated as generated
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, layers_of, steps


@dataclass(frozen=True)
class Transposed:
    """A model of one TRANSPOSE_CONV."""

    sizes: tuple[int, int]
    taps: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    channels: int
    outputs: int
    bias: bool
    per_channel: bool
    activation: str
    input_: Step
    output_zero: int
    seed: int
    less: int = 0  # rows that the output has less than the whole of them

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        made = [
            size * step if self.padding == "same" else (size - 1) * step + max(tap, step)
            for size, step, tap in zip(self.sizes, self.stride, self.taps, strict=True)
        ]
        made[0] -= self.less
        x = model.tensor((1, *self.sizes, self.channels), "int8", self.input_.scale, self.input_.zero_point)
        weights = random.integers(-127, 128, (self.outputs, *self.taps, self.channels), dtype=np.int8)
        count = self.outputs if self.per_channel else 1
        scales = (2.0 ** random.uniform(-9, -6, count)).astype(np.float32)
        shape = (1, *made, self.outputs)
        operands = [
            model.constant(np.array(shape, np.int32)),
            model.constant(weights, scales.tolist()),
            x,
        ]
        if self.bias:
            values = random.integers(-5000, 5000, self.outputs).astype(np.int32)
            operands.append(model.constant(values, (scales * np.float32(self.input_.scale)).tolist()))
        y = model.tensor(shape, "int8", float(np.float32(self.input_.scale)), self.output_zero)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "fusedActivationFunction": ACTIVATIONS[self.activation],
        }
        model.operator("TRANSPOSE_CONV", operands, [y], options)
        return model.ends([x], [y])


@st.composite
def transposed(draw: st.DrawFn) -> Transposed:
    """Any, of rows and columns or of columns alone."""
    rows = draw(st.booleans())

    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)) if rows else 1, draw(st.integers(low, high))

    return Transposed(
        sizes=pair(1, 5),
        taps=pair(1, 5),
        stride=pair(1, 3),
        padding=draw(st.sampled_from(("same", "valid"))),
        channels=draw(st.integers(1, 5)),
        outputs=draw(st.integers(1, 5)),
        bias=draw(st.booleans()),
        per_channel=draw(st.booleans()),
        activation=draw(st.sampled_from(("none", "none", "relu", "relu6"))),
        input_=draw(steps(-5, -1)),
        output_zero=draw(st.integers(-128, 127)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@ONE_BATCH
@given(batches(transposed()))
def test_any_transposed_convolution(cases: Batch) -> None:
    check(cases)


FIRST = Transposed(
    sizes=(1, 7),
    taps=(1, 4),
    stride=(1, 2),
    padding="same",
    channels=3,
    outputs=2,
    bias=True,
    per_channel=True,
    activation="none",
    input_=Step(0.1, 5),
    output_zero=-7,
    seed=1,
)


def test_on_a_cortex_m4() -> None:
    whole = replace(FIRST, sizes=(4, 5), taps=(3, 3), stride=(2, 2))
    check([FIRST, whole, replace(whole, stride=(2, 3)), replace(whole, padding="valid")], target="qemu")


def test_rows_of_other_sizes() -> None:
    """padding "same" leaves open how many rows the last position makes."""
    whole = replace(FIRST, sizes=(4, 5), taps=(3, 3), stride=(3, 2))
    check([replace(whole, less=less, seed=less) for less in (0, 1, 2)])


def test_nothing_is_multiplied_by_the_zeros_between(tmp_path: Path) -> None:
    """Four taps at stride 2 are two filters of two taps over seven rows and their margin."""
    (convolution,) = [layer for layer in layers_of(FIRST, tmp_path) if layer.macs]
    assert convolution.macs == (7 + 1) * 2 * 2 * 2 * 3


def refused(path: Path) -> UserError:
    """What is said of the file."""
    with pytest.raises(UserError) as caught:
        load_graph(path)
    return caught.value


def test_a_size_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, sizes=(4, 5), less=9, stride=(3, 2)).build().bytes())
    error = refused(path)
    assert error.place == "layer 0 (TRANSPOSE_CONV t4)"
    assert error.what == "4 rows of its input at a stride of 3 with padding SAME do not make 3 rows"


# --- where the output shape comes from ---


class Sized(Builder):
    """A TRANSPOSE_CONV that doubles 4 x 5 values of 3 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.x = self.tensor((1, 4, 5, 3), "int8", 0.1, 0, name="x")
        self.weights = np.ones((3, 3, 3, 3), np.int8)
        self.shape = (1, 8, 10, 3)

    def numbers(self, *values: int) -> int:
        """A constant of int32."""
        return self.constant(np.array(values, np.int32))

    def made(self, op: str, inputs: list[int], shape: tuple[int, ...], **options: object) -> int:
        """int32 that an operator computes."""
        y = self.tensor(shape, "int32", name=f"{op} made")
        self.operator(op, inputs, [y], options)
        return y

    def save(self, path: Path, sizes: int, inputs: list[int] | None = None) -> Path:
        """The file."""
        y = self.tensor(self.shape, "int8", 0.1, 0, name="y")
        options = {"padding": PADDINGS["same"], "strideH": 2, "strideW": 2}
        self.operator("TRANSPOSE_CONV", [sizes, self.constant(self.weights, 0.1), self.x], [y], options)
        return self.write(path, inputs or [self.x], [y])


@pytest.mark.parametrize("first", [False, True])
def test_an_output_shape_that_is_an_input_is_named(tmp_path: Path, first: bool) -> None:
    model = Sized()
    sizes = model.tensor((4,), "int32", name="size")
    inputs = [sizes, model.x] if first else [model.x, sizes]
    error = refused(model.save(tmp_path / "model.tflite", sizes, inputs))
    assert error.place == "layer 0 (TRANSPOSE_CONV y)"
    assert error.what.startswith("its output shape is an input of the model (size), so it is known when the")
    assert error.remedy is not None
    assert "batch_size=1" in error.remedy


def test_an_output_shape_that_an_input_makes_is_named(tmp_path: Path) -> None:
    model = Sized()
    more = model.tensor((4,), "int32", name="more")
    sizes = model.made("ADD", [more, model.numbers(1, 8, 10, 3)], (4,))
    error = refused(model.save(tmp_path / "model.tflite", sizes, [more, model.x]))
    assert error.what.startswith("its output shape (ADD made) is computed by layer 0 (ADD), so it is known")


def test_another_output_shape_than_the_files(tmp_path: Path) -> None:
    model = Sized()
    error = refused(model.save(tmp_path / "model.tflite", model.numbers(1, 7, 10, 3)))
    assert error.what == "its output is [1, 8, 10, 3], but its output shape says [1, 7, 10, 3]"


def test_groups_and_computed_weights_are_named(tmp_path: Path) -> None:
    model = Sized()
    model.weights = model.weights[..., :1]
    error = refused(model.save(tmp_path / "model.tflite", model.numbers(1, 8, 10, 3)))
    assert "filters have 1 channels and its input 3; channels in groups are not supported" in error.what


def test_an_output_shape_that_follows_from_sizes_is_computed(tmp_path: Path) -> None:
    """As tf.shape(x) * 2, and as sizes that are gathered, divided and multiplied."""
    model = Sized()
    sizes = model.made("MUL", [model.made("SHAPE", [model.x], (4,)), model.numbers(1, 2, 2, 1)], (4,))
    assert "CONV_2D" in {node.op for node in load_graph(model.save(tmp_path / "a.tflite", sizes)).nodes}

    model = Sized()
    sides = model.made("GATHER", [model.made("SHAPE", [model.x], (4,)), model.numbers(1, 2)], (2,))
    area = model.made("REDUCE_PROD", [sides, model.numbers(0)], (1,), keepDims=True)  # 20
    columns = model.made("FLOOR_DIV", [area, model.numbers(2)], (1,))
    parts = [model.numbers(1, 8), columns, model.numbers(3)]
    sizes = model.made("CONCATENATION", parts, (4,), axis=0)
    assert "CONV_2D" in {node.op for node in load_graph(model.save(tmp_path / "b.tflite", sizes)).nodes}


def test_a_fault_elsewhere_is_not_said_of_it(tmp_path: Path) -> None:
    """It is computed, so the weights that are stored sparse are all that is refused."""
    model = Sized()
    model.save(tmp_path / "model.tflite", model.numbers(1, 8, 10, 3))
    model.graph.tensors[2].sparsity = generated.SparsityParametersT()
    error = refused(model.write(tmp_path / "model.tflite", [model.x], [3]))
    assert error.what == "its data is stored sparse"
