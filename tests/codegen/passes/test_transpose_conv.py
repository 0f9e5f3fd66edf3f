# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

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


def test_a_size_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, sizes=(4, 5), less=9, stride=(3, 2)).build().bytes())
    with pytest.raises(UserError, match="TRANSPOSE_CONV"):
        load_graph(path)
