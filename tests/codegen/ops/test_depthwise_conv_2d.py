# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.passes import wide_weights
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, layers_of, positions, steps


@dataclass(frozen=True)
class Depthwise:
    """A model of one DEPTHWISE_CONV_2D."""

    rows: int
    columns: int
    inputs: int
    multiplier: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: str
    activation: str
    per_channel: bool
    input_: Step
    output_zero: int
    scale: float  # log2 of the largest channel's multiplier
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        depth = self.inputs * self.multiplier
        weights = random.integers(-127, 128, (1, *self.kernel, depth), dtype=np.int8)
        bias = random.integers(-5000, 5000, depth).astype(np.int32)
        scales = (2.0 ** random.uniform(-9, -5, depth if self.per_channel else 1)).astype(np.float32)
        output_scale = float(np.float32(self.input_.scale * float(scales.max()) / 2.0**self.scale))
        shape = (1, self.rows, self.columns, self.inputs)
        x = model.tensor(shape, "int8", self.input_.scale, self.input_.zero_point)
        w = model.constant(weights, scales.tolist(), axis=3)
        b = model.constant(bias, (scales * np.float32(self.input_.scale)).tolist())
        sizes = (self.rows, self.columns)
        count = positions(sizes, self.kernel, self.stride, self.dilation, self.padding)
        y = model.tensor((1, *count, depth), "int8", output_scale, self.output_zero)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "depthMultiplier": self.multiplier,
            "dilationHFactor": self.dilation[0],
            "dilationWFactor": self.dilation[1],
            "fusedActivationFunction": ACTIVATIONS[self.activation],
        }
        model.operator("DEPTHWISE_CONV_2D", [x, w, b], [y], options)
        return model.ends([x], [y])


@st.composite
def depthwises(draw: st.DrawFn) -> Depthwise:
    """Any DEPTHWISE_CONV_2D that makes an output."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilation = draw(st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    padding = draw(st.sampled_from(("same", "valid")))
    least = [(k - 1) * d + 1 if padding == "valid" else 1 for k, d in zip(kernel, dilation, strict=True)]
    strides = st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return Depthwise(
        rows=draw(st.integers(least[0], least[0] + 7)),
        columns=draw(st.integers(least[1], least[1] + 7)),
        inputs=draw(st.integers(1, 11)),
        multiplier=draw(st.sampled_from((1, 1, 1, 2, 3))),
        kernel=kernel,
        stride=draw(strides) if dilation == (1, 1) else (1, 1),
        dilation=dilation,
        padding=padding,
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        per_channel=draw(st.booleans()),
        input_=draw(steps()),
        output_zero=draw(st.one_of(st.sampled_from((-128, 0, 127)), st.integers(-128, 127))),
        scale=draw(st.one_of(st.floats(-10, -4), st.floats(-33, 3))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@BATCHES
@given(batches(depthwises()))
def test_any_depthwise_convolution(cases: Batch) -> None:
    check(cases)


FIRST = Depthwise(
    rows=6,
    columns=7,
    inputs=8,
    multiplier=1,
    kernel=(3, 3),
    stride=(1, 1),
    dilation=(1, 1),
    padding="same",
    activation="none",
    per_channel=True,
    input_=Step(0.05, -3),
    output_zero=5,
    scale=-6.0,
    seed=0,
)


def threes() -> list[Depthwise]:
    """depthwise_3x3: along rows and columns, odd and even, channels left over, no pair at all."""
    first, positive = FIRST, replace(FIRST, activation="relu", output_zero=-128)
    sizes = ((6, 7), (7, 5), (5, 5), (5, 7), (6, 6), (1, 1), (1, 4), (2, 1), (3, 9), (25, 5))
    return [
        *(replace(positive, rows=rows, columns=columns, seed=rows) for rows, columns in sizes),
        *(replace(first, inputs=inputs, seed=inputs) for inputs in range(1 + 1, 10)),
        *(replace(first, padding="valid", rows=rows, columns=7) for rows in (3, 4, 5, 6)),
        replace(positive, padding="valid", rows=4, columns=3, inputs=3),
        replace(first, per_channel=False, input_=Step(0.05, 127)),
        replace(first, scale=-30.0),  # channels that are the zero point
        *(replace(first, rows=9, columns=8, stride=stride) for stride in ((1, 3), (3, 1), (5, 1), (1, 4))),
    ]


def threes_apart() -> list[Depthwise]:
    """depthwise_3x3_apart: two points along a line, any stride across it."""
    first = replace(FIRST, stride=(2, 2))
    positive = replace(first, activation="relu", output_zero=-128)
    sizes = ((6, 7), (7, 5), (5, 5), (8, 9), (9, 12), (1, 1), (1, 4), (2, 1), (3, 9), (25, 5))
    return [
        *(replace(positive, rows=rows, columns=columns, seed=rows) for rows, columns in sizes),
        *(replace(first, rows=rows, columns=columns, seed=rows) for rows, columns in sizes),
        *(replace(first, inputs=inputs, seed=inputs) for inputs in range(1 + 1, 10)),
        *(replace(first, padding="valid", rows=rows, columns=7) for rows in (3, 4, 5, 6)),
        *(replace(first, stride=stride, seed=stride[1]) for stride in ((3, 2), (2, 3), (5, 2), (2, 7))),
        replace(positive, padding="valid", rows=4, columns=3, inputs=3),
        replace(first, scale=-30.0),  # channels that are the zero point
    ]


def others() -> list[Depthwise]:
    """depthwise_conv_2d, where requantize_fast serves."""
    first = replace(FIRST, kernel=(3, 2))
    return [
        first,
        replace(first, inputs=6, padding="valid"),  # two channels left over
        replace(first, inputs=3, multiplier=2, stride=(2, 2)),
        replace(first, kernel=(3, 3), stride=(3, 3)),
        replace(first, kernel=(3, 3), dilation=(2, 2)),
        replace(first, rows=1, columns=1, kernel=(5, 5)),
    ]


def others_general() -> list[Depthwise]:
    """depthwise_conv_2d_general."""
    return [
        replace(FIRST, activation="relu"),
        replace(FIRST, dilation=(2, 2), activation="relu6"),
        replace(FIRST, kernel=(6, 1), padding="valid", scale=0.7),
    ]


KINDS = {
    "depthwise_3x3": threes(),
    "depthwise_3x3_apart": threes_apart(),
    "depthwise_conv_2d": others(),
    "depthwise_conv_2d_general": others_general(),
    "conv_2d": [replace(FIRST, inputs=1, multiplier=5, kernel=(4, 2))],
}


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_kinds(kernels: str, target: str) -> None:
    """Each path of the kernels in both modes, on the PC and on a Cortex-M4."""
    check([case for cases in KINDS.values() for case in cases], kernels=kernels, target=target)


@pytest.mark.parametrize("kernel", KINDS)
def test_kinds_reach_their_kernel(kernel: str, tmp_path: Path) -> None:
    for case in KINDS[kernel]:
        assert [layer.kernel for layer in layers_of(case, tmp_path)] == [kernel], case


def test_one_window_of_one_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a dense layer, whose weights lie differently in the file: of one byte, and of two."""
    shapes = ((3, 3, 8), (5, 4, 16), (4, 10, 31))
    cases = [
        replace(
            FIRST,
            rows=rows,
            columns=columns,
            inputs=1,
            multiplier=made,
            kernel=(rows, columns),
            padding="valid",
        )
        for rows, columns, made in shapes
    ]
    check(cases, kernels="fast")
    monkeypatch.setattr(wide_weights, "LIMIT", 100.0)
    check(cases, kernels="fast")
