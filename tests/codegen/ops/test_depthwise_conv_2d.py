# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.ops import depthwise_forms
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


def windows() -> list[Depthwise]:
    """depthwise_window: points at equal distances, an odd one, channels left over, windows side by side."""
    first = replace(FIRST, rows=9, columns=1, kernel=(9, 1), padding="valid")
    few = replace(first, rows=6, kernel=(5, 1))
    return [
        *(replace(first, kernel=(taps, 1), rows=taps, seed=taps) for taps in (1, 2, 3, 4, 7, 8, 23)),
        *(replace(first, inputs=inputs, seed=inputs) for inputs in (4, 5, 6, 7, 9, 12)),
        *(replace(first, columns=columns, inputs=5, seed=columns) for columns in (2, 3)),
        replace(first, rows=1, columns=9, kernel=(1, 9)),
        replace(first, rows=3, columns=9, kernel=(1, 7), stride=(2, 2)),  # rows that are left out
        replace(few, rows=9, stride=(4, 1)),
        replace(first, columns=4, kernel=(9, 4)),  # all of the input
        replace(first, rows=10, kernel=(4, 1), dilation=(3, 1)),
        replace(few, rows=1, columns=1, kernel=(5, 5), padding="same"),  # taps in the padding
        replace(few, rows=2, columns=1, kernel=(5, 1), padding="same", stride=(3, 1)),
        replace(first, activation="relu", output_zero=-128),
        replace(first, per_channel=False, input_=Step(0.05, 127)),
        replace(first, scale=-30.0),  # channels that are the zero point
        replace(first, scale=-0.2, activation="relu", output_zero=-128),  # sums that are not shifted
    ]


def lines() -> list[Depthwise]:
    """depthwise_lines: any number of outputs in a line, strides and dilations, several channels of one."""
    first = replace(FIRST, rows=8, columns=9, kernel=(5, 5))
    row = replace(FIRST, rows=1, columns=20, kernel=(1, 6))
    return [
        *(replace(row, columns=columns, seed=columns) for columns in range(9, 18)),
        *(replace(row, kernel=(1, taps), seed=taps) for taps in (2, 3, 4, 5, 7, 8, 9, 10, 13)),
        replace(row, rows=20, columns=1, kernel=(6, 1)),
        *(replace(first, columns=columns, seed=columns) for columns in (5, 6, 7, 8)),
        *(
            replace(first, stride=stride, seed=stride[0])
            for stride in ((2, 2), (2, 1), (1, 3), (3, 3), (7, 1))
        ),
        *(replace(first, dilation=dilation) for dilation in ((2, 1), (1, 3), (2, 2))),
        replace(first, rows=2, columns=12, kernel=(2, 3), dilation=(3, 4)),  # pictures without a line
        replace(first, kernel=(3, 3), stride=(3, 3)),
        replace(first, kernel=(4, 2), padding="valid"),
        replace(first, kernel=(2, 4), stride=(4, 5), rows=13, columns=14),  # lines that nothing reads
        *(replace(first, inputs=inputs, seed=inputs) for inputs in (4, 5, 6, 7)),
        *(replace(first, inputs=4 + several, multiplier=several) for several in (2, 3)),
        replace(first, kernel=(3, 3), multiplier=2, activation="relu", output_zero=-128),
        replace(first, per_channel=False, input_=Step(0.05, 127)),
        replace(first, scale=-30.0),  # channels that are the zero point
        replace(row, scale=-0.2, activation="relu", output_zero=-128),  # sums that are not shifted
    ]


def others() -> list[Depthwise]:
    """depthwise_conv_2d, where requantize_fast serves."""
    first = replace(FIRST, kernel=(3, 2), inputs=3)
    return [
        first,
        replace(first, inputs=2, padding="valid"),
        replace(first, multiplier=2, stride=(2, 2)),
        replace(first, kernel=(2, 2), dilation=(2, 2)),
        replace(first, rows=1, columns=1, kernel=(5, 5)),
    ]


def others_general() -> list[Depthwise]:
    """depthwise_conv_2d_general: multipliers over 1, also with a clamp and two channels left over."""
    first = replace(FIRST, scale=0.7)
    return [
        first,
        replace(first, kernel=(6, 1), padding="valid"),
        replace(first, inputs=6, kernel=(3, 2), padding="valid", activation="relu6"),
        replace(FIRST, inputs=3, kernel=(3, 2), activation="relu"),
    ]


def clamped() -> list[Depthwise]:
    """A clamp within int8, after the kernel."""
    first = replace(FIRST, activation="relu")
    return [
        first,
        replace(first, activation="relu6", stride=(2, 2)),
        replace(first, activation="relu6", dilation=(2, 2)),
        replace(first, activation="relu_n1_to_1", kernel=(6, 1), padding="valid"),
        replace(first, inputs=5, multiplier=3, kernel=(2, 4)),
    ]


KINDS = {
    "depthwise_3x3": threes(),
    "depthwise_3x3_apart": threes_apart(),
    "depthwise_window": windows(),
    "depthwise_lines": lines(),
    "depthwise_conv_2d": others(),
    "depthwise_conv_2d_general": others_general(),
    "conv_2d": [replace(FIRST, inputs=1, multiplier=5, kernel=(4, 2))],
}


@pytest.fixture
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels of many outputs compute few, too."""
    monkeypatch.setattr(depthwise_forms.Depthwise, "general_work", lambda _: 1 << 60)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_kinds(kernels: str, target: str) -> None:
    """Each path of the kernels in both modes, on the PC and on a Cortex-M4."""
    check([case for cases in (*KINDS.values(), clamped()) for case in cases], kernels=kernels, target=target)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("kernel", KINDS)
def test_kinds_reach_their_kernel(kernel: str, tmp_path: Path) -> None:
    for case in KINDS[kernel]:
        assert {layer.kernel for layer in layers_of(case, tmp_path)} == {kernel}, case


def test_few_taps_inside_the_input_are_multiplied_one_by_one(tmp_path: Path) -> None:
    for rows, kernel in ((2, "depthwise_conv_2d"), (12, "depthwise_lines")):
        case = replace(FIRST, rows=rows, columns=rows, kernel=(5, 5))
        assert [layer.kernel for layer in layers_of(case, tmp_path)] == [kernel]


@pytest.mark.usefixtures("any_size")
def test_a_clamp_sends_no_layer_to_the_kernel_of_any_layer(tmp_path: Path) -> None:
    for case in clamped():
        *kernels, last = [layer.kernel for layer in layers_of(case, tmp_path)]
        assert last == "clamp", case
        assert "depthwise_conv_2d" not in {name.removesuffix("_general") for name in kernels}, case


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
