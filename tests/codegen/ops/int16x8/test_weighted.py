# SPDX-License-Identifier: Apache-2.0
"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED with 16-bit activations against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import ai_edge_litert.schema_py_generated as schema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check, layers_of, positions
from tests.support.tflm import need_tflm

BIAS = {"int32": schema.TensorType.INT32, "int64": schema.TensorType.FLOAT32}  # FLOAT32: nothing is said


@dataclass(frozen=True)
class Weighted:
    """A model of one operator. shape: of the input without the batch; kernel: of a dense layer (0, 0)."""

    op: str
    shape: tuple[int, ...]
    outputs: int
    kernel: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "same"
    activation: str = "none"
    per_channel: bool = True
    bias: str = "int64"
    large: int = 5000  # of a bias
    extreme: bool = False  # weights at the rails
    multiplier: float = -12.0  # log2 of the largest channel's
    seed: int = 0

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        depth, dense = self.shape[-1], self.op == "FULLY_CONNECTED"
        shape: tuple[int, ...] = (self.outputs, *self.kernel, depth)
        if self.op == "DEPTHWISE_CONV_2D":
            shape = (1, *self.kernel, self.outputs)
        if dense:
            shape = (self.outputs, depth)
        weights = random.integers(-127, 128, shape).astype(np.int8)
        if self.extreme:
            weights = random.choice(np.array([-127, 127, -128], np.int8), shape)
        bias = random.integers(-self.large, self.large, self.outputs).astype(self.bias)
        axis = 3 if self.op == "DEPTHWISE_CONV_2D" else 0
        scales = (2.0 ** random.uniform(-9, -5, self.outputs if self.per_channel else 1)).astype(np.float32)
        scale = float(np.float32(2.0 ** random.uniform(-15, -9)))
        output_scale = float(np.float32(scale * float(scales.max()) / 2.0**self.multiplier))
        x = model.tensor((1, *self.shape), "int16", scale)
        w = model.constant(weights, scales.tolist(), axis=axis)
        b = model.constant(bias, (scales * np.float32(scale)).tolist())
        places = self.shape[:-1]
        if not dense:
            places = positions(self.shape[:2], self.kernel, self.stride, self.dilation, self.padding)
        y = model.tensor((1, *places, self.outputs), "int16", output_scale)
        model.operator(self.op, [x, w, b], [y], self._options())
        return model.ends([x], [y])

    def _options(self) -> dict[str, int]:
        fused = {"fusedActivationFunction": ACTIVATIONS[self.activation]}
        said = {} if self.op == "DEPTHWISE_CONV_2D" else {"quantizedBiasType": BIAS[self.bias]}
        if self.op == "FULLY_CONNECTED":
            return {**fused, **said, "keepNumDims": len(self.shape) > 1}
        window = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "dilationHFactor": self.dilation[0],
            "dilationWFactor": self.dilation[1],
        }
        if self.op == "DEPTHWISE_CONV_2D":
            window["depthMultiplier"] = self.outputs // self.shape[-1]
        return {**fused, **said, **window}


@st.composite
def convolutions(draw: st.DrawFn) -> Weighted:
    """Any CONV_2D or DEPTHWISE_CONV_2D that makes an output."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    padding = draw(st.sampled_from(("same", "valid")))
    least = [(k - 1) * d + 1 if padding == "valid" else 1 for k, d in zip(kernel, dilation, strict=True)]
    depth, outputs = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    op = draw(st.sampled_from(("CONV_2D", "DEPTHWISE_CONV_2D")))
    if op == "DEPTHWISE_CONV_2D":
        outputs = depth * draw(st.sampled_from((1, 1, 2, 3)))
    stride = st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return Weighted(
        op=op,
        shape=(draw(st.integers(least[0], least[0] + 5)), draw(st.integers(least[1], least[1] + 5)), depth),
        outputs=outputs,
        kernel=kernel,
        stride=draw(stride) if dilation == (1, 1) else (1, 1),
        dilation=dilation,
        padding=padding,
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        per_channel=draw(st.booleans()),
        bias="int64" if op == "DEPTHWISE_CONV_2D" else draw(st.sampled_from(("int64", "int32"))),
        large=draw(st.sampled_from((1, 5000, 1 << 24))),
        extreme=draw(st.booleans()),
        multiplier=draw(st.one_of(st.floats(-16, -8), st.floats(-33, -2))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@st.composite
def denses(draw: st.DrawFn) -> Weighted:
    """Any FULLY_CONNECTED."""
    shape = draw(st.one_of(st.tuples(st.integers(1, 40)), st.tuples(st.integers(2, 3), st.integers(1, 20))))
    return Weighted(
        op="FULLY_CONNECTED",
        shape=shape,
        outputs=draw(st.integers(1, 7)),
        activation=draw(st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1"))),
        per_channel=draw(st.booleans()),
        bias=draw(st.sampled_from(("int64", "int32"))),
        large=draw(st.sampled_from((1, 5000, 1 << 24))),
        extreme=draw(st.booleans()),
        multiplier=draw(st.one_of(st.floats(-16, -8), st.floats(-33, -2))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@ONE_BATCH
@given(batches(st.one_of(convolutions(), denses())))
def test_any_convolution_and_dense_layer(cases: Batch) -> None:
    check(cases)


CONV = Weighted("CONV_2D", (5, 6, 4), 5, kernel=(3, 3))
DEPTHWISE = Weighted("DEPTHWISE_CONV_2D", (5, 6, 5), 5, kernel=(3, 2))
DENSE = Weighted("FULLY_CONNECTED", (33,), 5)


def wide() -> list[Weighted]:
    """Sums beyond 32 bits, by many products or by their biases."""
    conv, depthwise, dense = (
        replace(case, large=1 << 38, multiplier=-30.0) for case in (CONV, DEPTHWISE, DENSE)
    )
    return [
        replace(CONV, shape=(5, 5, 30), kernel=(5, 5), extreme=True, multiplier=-24.0),
        replace(DENSE, shape=(1100,), extreme=True, multiplier=-24.0),
        conv,
        depthwise,
        dense,
    ]


def test_sums_of_64_bits(tmp_path: Path) -> None:
    for case in wide():
        assert layers_of(case, tmp_path)[0].kernel.endswith("_16x8_wide"), case
    check(wide())


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = [CONV, DEPTHWISE, DENSE]
    cases += [replace(case, bias="int32", activation="relu") for case in (CONV, DENSE)]
    cases += [replace(CONV, stride=(2, 2), padding="valid"), replace(CONV, kernel=(1, 1), outputs=2)]
    cases += [replace(CONV, dilation=(2, 2)), replace(DEPTHWISE, outputs=10), *wide()]
    for count in (1, 2, 3):  # steps and taps that the unrolled loops begin in their middle with
        cases += [
            replace(CONV, kernel=(1, count)),
            replace(DENSE, shape=(4 * count,)),
            replace(DEPTHWISE, kernel=(count, 3), padding="valid", activation="relu"),
        ]
    check(cases, kernels=kernels, target="qemu")


def test_as_tensorflow_lite_micro_has_them() -> None:
    need_tflm()
    cases = [CONV, DEPTHWISE, DENSE, replace(DENSE, per_channel=False), *wide()]
    cases += [replace(case, bias="int32") for case in (CONV, DENSE)]
    check(cases, reference=Reference.TFLM)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (replace(DEPTHWISE, bias="int32"), "its bias is int32; the reference kernel has int64 alone"),
        (replace(CONV, multiplier=8.0, large=1), "the operator is defined below 2\\^7"),
        (replace(CONV, large=1 << 48), "the operator is defined below 2\\^47"),
        (replace(CONV, multiplier=5.0, extreme=True), "results stay within 32 bits up to"),
    ],
)
def test_what_the_reference_does_not_define_is_refused(case: Weighted, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(case.build().bytes())
    with pytest.raises(UserError, match=said):
        load_graph(path)
