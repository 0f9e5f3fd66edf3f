# SPDX-License-Identifier: Apache-2.0
"""CONV_2D against the reference interpreter: shapes, strides, dilations, paddings, scales, activations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.compile import run_passes
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import BATCHES, Batch, Step, batches, check, layers_of, positions, steps
from tests.support.models_c import spec_of


@dataclass(frozen=True)
class Conv:
    """A model of one CONV_2D."""

    rows: int
    columns: int
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: str
    activation: str
    per_channel: bool
    extreme: bool  # weights at the rails, biases as large as the output
    input_: Step
    output_zero: int
    multiplier: float  # log2 of the largest channel's
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        shape = (self.outputs, *self.kernel, self.inputs)
        if self.extreme:
            weights = random.choice(np.array([-127, 127, -128], np.int8), shape)
            reach = min(2**30, int(2 ** (7 - self.multiplier)))  # within the output: no constants
            bias = random.integers(-reach, reach, self.outputs).astype(np.int32)
        else:
            weights = random.integers(-127, 128, shape, dtype=np.int8)
            bias = random.integers(-5000, 5000, self.outputs).astype(np.int32)
        count = self.outputs if self.per_channel else 1
        scales = (2.0 ** random.uniform(-9, -5, count)).astype(np.float32)
        output_scale = float(np.float32(self.input_.scale * float(scales.max()) / 2.0**self.multiplier))
        x = model.tensor(
            (1, self.rows, self.columns, self.inputs), "int8", self.input_.scale, self.input_.zero_point
        )
        operands = [x, model.constant(weights, scales.tolist())]
        operands.append(model.constant(bias, (scales * np.float32(self.input_.scale)).tolist()))
        sizes = (self.rows, self.columns)
        places = positions(sizes, self.kernel, self.stride, self.dilation, self.padding)
        y = model.tensor((1, *places, self.outputs), "int8", output_scale, self.output_zero)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "dilationHFactor": self.dilation[0],
            "dilationWFactor": self.dilation[1],
            "fusedActivationFunction": ACTIVATIONS[self.activation],
        }
        model.operator("CONV_2D", operands, [y], options)
        return model.ends([x], [y])


@st.composite
def convs(draw: st.DrawFn) -> Conv:
    """Any CONV_2D that makes an output."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilation = draw(st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    padding = draw(st.sampled_from(("same", "valid")))
    extreme = draw(st.integers(0, 4)) == 0
    most = -1 if extreme else 3  # beyond it results leave 32 bits: such layers are refused
    least = [(k - 1) * d + 1 if padding == "valid" else 1 for k, d in zip(kernel, dilation, strict=True)]
    return Conv(
        rows=draw(st.integers(least[0], least[0] + 7)),
        columns=draw(st.integers(least[1], least[1] + 7)),
        inputs=draw(st.integers(1, 9)),
        outputs=draw(st.integers(1, 9)),
        kernel=kernel,
        stride=draw(st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3)))),
        dilation=dilation,
        padding=padding,
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        per_channel=draw(st.booleans()),
        extreme=extreme,
        input_=draw(steps()),
        output_zero=draw(st.one_of(st.sampled_from((-128, 0, 127)), st.integers(-128, 127))),
        multiplier=draw(st.one_of(st.floats(-13, -6), st.floats(-33, most))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@BATCHES
@given(batches(convs()))
def test_any_convolution(cases: Batch) -> None:
    check(cases)


FIRST = Conv(
    rows=7,
    columns=8,
    inputs=4,
    outputs=6,
    kernel=(3, 3),
    stride=(1, 1),
    dilation=(1, 1),
    padding="valid",
    activation="none",
    per_channel=True,
    extreme=False,
    input_=Step(0.05, -3),
    output_zero=5,
    multiplier=-8.0,
    seed=0,
)


def windows() -> list[Conv]:
    """conv_2d: kernels larger than one tap."""
    first = FIRST
    positive = replace(first, activation="relu", output_zero=-128)
    return [
        first,  # whole rows of three, and the last positions of a row together with the next row's
        replace(positive, columns=9),
        replace(first, columns=4, rows=4),  # two positions a row, two left at the end
        replace(first, columns=3, rows=4),  # two in all
        replace(first, columns=2, rows=2, padding="same", stride=(2, 2)),  # one
        replace(positive, outputs=5, kernel=(2, 2)),  # an odd channel left over
        replace(first, outputs=1),
        replace(first, inputs=2, kernel=(3, 2), stride=(1, 2), dilation=(2, 1)),
        replace(first, kernel=(2, 3), dilation=(1, 2)),  # runs apart
        replace(first, inputs=1, kernel=(3, 3), dilation=(2, 2), padding="same"),
        replace(first, inputs=3, outputs=3, stride=(2, 2), padding="same"),  # odd runs
        replace(first, inputs=1, kernel=(5, 4), stride=(1, 2), padding="same"),
        replace(first, inputs=1, kernel=(2, 2), stride=(3, 1)),  # rows that no position reads
        replace(first, inputs=1, kernel=(3, 4)),  # whole quads at odd places
        replace(first, inputs=5, kernel=(2, 2), padding="same"),
        replace(positive, kernel=(2, 2), multiplier=-30.0, outputs=4),  # channels that are the zero point
        replace(first, rows=1, columns=1, kernel=(5, 5), padding="same"),
    ]


def windows_general() -> list[Conv]:
    """conv_2d_general: what the words of pairs do not serve."""
    first = FIRST
    return [
        replace(first, kernel=(2, 2), multiplier=0.6),  # multipliers over 1
        replace(first, inputs=5, kernel=(2, 2), padding="same", multiplier=0.6, activation="relu_n1_to_1"),
        replace(first, extreme=True, outputs=3),  # weights of -128, sums beyond 24 bits
    ]


def points() -> list[Conv]:
    """pointwise_conv_2d: every number of steps modulo the unrolled loop's, rows joined and apart."""
    first = replace(FIRST, kernel=(1, 1))
    return [
        *(replace(first, inputs=4 * steps, outputs=4, seed=steps) for steps in range(1, 10)),
        replace(first, inputs=8, outputs=2, stride=(2, 1)),
        replace(first, inputs=8, outputs=7, stride=(2, 3), padding="same"),
        *(replace(first, inputs=inputs, rows=inputs) for inputs in (1, 2, 3, 5, 6, 7)),
        replace(first, inputs=12, activation="relu", output_zero=-128),
        replace(first, rows=1, columns=2, outputs=3),
        replace(first, rows=2, columns=2, stride=(2, 2)),
    ]


def points_general() -> list[Conv]:
    """pointwise_conv_2d_general."""
    first = replace(FIRST, kernel=(1, 1))
    return [
        replace(first, inputs=3, stride=(1, 2), multiplier=0.6),
        replace(first, inputs=6, extreme=True),
    ]


def clamped() -> list[Conv]:
    """A clamp within int8, after the kernel: below, on both sides, fewer values than four, and some left."""
    first = replace(FIRST, activation="relu")
    return [
        first,
        replace(first, kernel=(2, 3), dilation=(1, 2), activation="relu6"),
        replace(first, inputs=5, kernel=(2, 2), padding="same", activation="relu_n1_to_1", outputs=5),
        replace(first, rows=1, columns=1, outputs=3, kernel=(3, 3), padding="same"),
        replace(first, kernel=(1, 1), columns=7, outputs=1),
        replace(first, kernel=(1, 1), output_zero=-60, activation="relu6"),
        replace(first, output_zero=-128, activation="relu6"),
    ]


def denses() -> list[Conv]:
    """fully_connected_fast, later fully_connected_pairs: one window, the whole input. Every number of octets
    modulo the unrolled loop's, fours left over, none at all, an odd output, and one alone."""
    first = replace(FIRST, rows=3, columns=3)
    point = replace(first, rows=1, columns=1, kernel=(1, 1))
    positive = replace(point, activation="relu", output_zero=-128)
    return [
        first,
        replace(point, inputs=9, outputs=9),
        *(replace(point, inputs=4 * fours, outputs=2 + fours % 3, seed=fours) for fours in range(1, 13)),
        *(replace(positive, inputs=inputs, outputs=4, seed=inputs) for inputs in (1, 2, 3, 7, 33, 66)),
        replace(point, inputs=5, outputs=1),
        replace(point, inputs=40, multiplier=-30.0, outputs=4),  # outputs that are the zero point
    ]


def halves() -> list[Conv]:
    """Large sums with multipliers so small that a sum is about half a step of the output."""
    first = replace(FIRST, outputs=1, extreme=True, kernel=(2, 2), rows=3, columns=3)
    return [replace(first, multiplier=-m + 0.3, seed=seed) for m in range(27, 32) for seed in range(4)]


KINDS = {
    "fully_connected_fast": denses(),
    "fully_connected_twice": [replace(case, activation="relu") for case in denses()[:2]],
    "fully_connected_int16_fast": [replace(case, extreme=True) for case in denses()[:1]],
    "conv_2d": windows(),
    "conv_2d_general": windows_general(),
    "pointwise_conv_2d": points(),
    "pointwise_conv_2d_general": points_general(),
}


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_kinds(kernels: str, target: str) -> None:
    """Each path of the kernels in both modes, on the PC and on a Cortex-M4."""
    check(
        [case for cases in (*KINDS.values(), clamped(), halves()) for case in cases],
        kernels=kernels,
        target=target,
    )


@pytest.mark.parametrize("kernel", KINDS)
def test_kinds_reach_their_kernel(kernel: str, tmp_path: Path) -> None:
    for case in KINDS[kernel]:
        assert [layer.kernel for layer in layers_of(case, tmp_path)] == [kernel], case


def test_a_clamp_sends_no_layer_to_a_general_kernel(tmp_path: Path) -> None:
    for case in clamped():
        kernel = "pointwise_conv_2d" if case.kernel == (1, 1) else "conv_2d"
        assert [layer.kernel for layer in layers_of(case, tmp_path)] == [kernel, "clamp"], case


@pytest.mark.parametrize("fast", [False, True])
def test_one_window_is_computed_in_pairs(tmp_path: Path, fast: bool) -> None:
    """But for the layers that "fast" gives weights of two bytes."""
    for case in denses():
        (tmp_path / "case.tflite").write_bytes(case.build().bytes())
        compiled = run_passes(spec_of("m", "fast" if fast else "small"), load_graph(tmp_path / "case.tflite"))
        (layer,) = compiled.program.layers
        wide = fast and layer.type == "fully_connected_int16"
        assert layer.kernel == ("fully_connected_int16_fast" if wide else "fully_connected_pairs"), case
