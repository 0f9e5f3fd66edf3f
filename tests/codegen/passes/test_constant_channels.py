# SPDX-License-Identifier: Apache-2.0
"""Networks with channels that are constants, against the reference interpreter; which of them go away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.passes.channel_ranges import channel_ranges
from codegen.passes.constant_channels import without_constant_channels
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import BATCHES, Batch, batches, check, layers_of, positions

STEP = 0.05  # of all tensors
ENDS = ("pool", "mean", "flat", "none")  # what stands before the dense layer


@dataclass(frozen=True)
class Dead:
    """A chain of convolutions, of all channels and of each alone, some of whose channels are constants.

    dead: the share of them; zeros: the zero points of the tensors between; level: log2 of how far a constant
    may lie above the zero point, in steps; window: side of the kernels of all channels
    """

    depths: tuple[int, ...]
    dead: float
    zeros: tuple[int, ...]
    level: float
    window: int
    stride: int
    padding: str
    multiplier: int
    end: str
    per_channel: bool
    largest: int  # of the biases; with 2^31 - 1 sums wrap
    seed: int

    def build(self) -> Builder:
        """The model."""
        chain = _Chain(self)
        for place, depth in enumerate(self.depths):
            chain.convolution(depth, self.window if place else 1)
            if place + 1 < len(self.depths):
                chain.each_alone()
        return chain.ends()


class _Chain:
    def __init__(self, case: Dead) -> None:
        self.case, self.model = case, Builder()
        self.random = np.random.default_rng(case.seed)
        self.shape: tuple[int, ...] = (1, 6, 5, 3)
        self.zero = case.zeros[0]
        self.first = self.last = self.model.tensor(self.shape, "int8", STEP, self.zero)
        self.made = 0

    def convolution(self, depth: int, window: int) -> None:
        weights = self.random.integers(-127, 128, (depth, window, window, self.shape[3]), dtype=np.int8)
        self._add("CONV_2D", weights, 0, (window, window), (1, 1))

    def each_alone(self) -> None:
        depth = self.shape[3] * self.case.multiplier
        weights = self.random.integers(-127, 128, (1, 3, 3, depth), dtype=np.int8)
        self._add("DEPTHWISE_CONV_2D", weights, 3, (3, 3), (self.case.stride, 1))

    def _add(
        self, op: str, weights: NDArray[np.int8], axis: int, window: tuple[int, int], stride: tuple[int, int]
    ) -> None:
        case, model, random = self.case, self.model, self.random
        depth = weights.shape[axis]
        self.made += 1
        zero = case.zeros[self.made % len(case.zeros)]
        taps = weights.size // depth
        scales = np.asarray(2.0 ** random.uniform(-7, -5, depth) / taps**0.5)
        bias = np.asarray(random.integers(-2000, 2000, depth))
        dead = random.random(depth) < case.dead
        if case.per_channel:  # minute weights, and the constant from the bias alone: its steps lie far apart
            scales = np.where(dead, 2.0 ** random.uniform(-33, -26, depth), scales)
            height = random.uniform(-1, 1, depth) * 2.0**case.level
            wide = np.clip(height / scales, -case.largest, case.largest)
            bias = np.where(dead, wide.round(), bias)
        else:
            scales = scales[:1]
            moved = np.moveaxis(weights, axis, 0)
            moved[dead] = 0
        scales = scales.astype(np.float32)
        w = model.constant(weights, scales.tolist(), axis=axis)
        b = model.constant(bias.astype(np.int32), (scales * np.float32(STEP)).tolist())
        padding = case.padding if min(self.shape[1:3]) > max(window) else "same"
        places = positions(self.shape[1:3], window, stride, (1, 1), padding)
        self.shape = (1, *places, depth)
        y = model.tensor(self.shape, "int8", STEP, zero)
        options = {
            "padding": PADDINGS[padding],
            "strideH": stride[0],
            "strideW": stride[1],
            "dilationHFactor": 1,
            "dilationWFactor": 1,
            "fusedActivationFunction": ACTIVATIONS[random.choice(["none", "relu"])],
        }
        if op == "DEPTHWISE_CONV_2D":
            options["depthMultiplier"] = case.multiplier
        model.operator(op, [self.last, w, b], [y], options)
        self.last, self.zero = y, zero

    def ends(self) -> Builder:
        """Pooling or a mean, and a dense layer."""
        case, model = self.case, self.model
        rows, columns, depth = self.shape[1:]
        if case.end == "none":
            return model.ends([self.first], [self.last])
        inputs = depth
        if case.end == "pool":
            y = model.tensor((1, 1, 1, depth), "int8", STEP, self.zero)
            options = {"padding": PADDINGS["valid"], "strideH": 1, "strideW": 1}
            options |= {"filterHeight": rows, "filterWidth": columns, "fusedActivationFunction": 0}
            model.operator(self.random.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]), [self.last], [y], options)
            self.last = y
        elif case.end == "mean":
            y = model.tensor((1, depth), "int8", 0.7 * STEP, 11)
            axes = model.constant(np.array([1, 2], np.int32))
            model.operator("MEAN", [self.last, axes], [y], {"keepDims": False})
            self.last = y
        else:
            inputs = rows * columns * depth
        if case.end != "mean":
            flat = model.tensor((1, inputs), "int8", STEP, self.zero)
            to = model.constant(np.array([1, inputs], np.int32))
            model.operator("RESHAPE", [self.last, to], [flat])
            self.last = flat
        weights = self.random.integers(-127, 128, (3, inputs), dtype=np.int8)
        w = model.constant(weights, 0.01)
        y = model.tensor((1, 3), "int8", 0.4, 5)
        options = {"fusedActivationFunction": 0, "weightsFormat": 0, "keepNumDims": False}
        model.operator("FULLY_CONNECTED", [self.last, w], [y], options)
        return model.ends([self.first], [y])


@st.composite
def chains(draw: st.DrawFn) -> Dead:
    """Any chain."""
    zeros = st.one_of(st.sampled_from((-128, 0, 127)), st.integers(-128, 127))
    return Dead(
        depths=draw(st.lists(st.integers(1, 14), min_size=1, max_size=3).map(tuple)),
        dead=draw(st.sampled_from((0.2, 0.5, 0.8, 1.0))),
        zeros=draw(st.one_of(st.just((-128,)), st.tuples(zeros, zeros, zeros))),
        level=draw(st.floats(-2, 8.5)),
        window=draw(st.sampled_from((1, 1, 2, 3))),
        stride=draw(st.integers(1, 2)),
        padding=draw(st.sampled_from(("same", "valid"))),
        multiplier=draw(st.sampled_from((1, 1, 1, 2))),
        end=draw(st.sampled_from(ENDS)),
        per_channel=draw(st.booleans()),
        largest=draw(st.sampled_from((2**30, 2**31 - 1))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@BATCHES
@given(batches(chains()))
def test_any_chain_with_dead_channels(cases: Batch) -> None:
    check(cases)


FIRST = Dead((16, 16, 12), 0.6, (-128,), 6.0, 1, 1, "same", 1, "pool", True, 2**30, 1)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = [replace(FIRST, end=end, seed=seed) for end in ENDS for seed in range(3)]
    check(cases, kernels=kernels, target="qemu")


def test_no_dead_channel_sends_a_layer_to_a_general_kernel(tmp_path: Path) -> None:
    """Biases near 2^30, and multipliers below 2^-22."""
    for seed in range(5):
        layers = layers_of(replace(FIRST, seed=seed), tmp_path)
        assert not [layer.kernel for layer in layers if layer.kernel.endswith("general")], seed


def test_constants_are_not_computed(tmp_path: Path) -> None:
    """Where all are constants, four of each tensor stay; the multiply-accumulates told are the model's."""
    case = replace(FIRST, depths=(64, 32, 32), dead=1.0)
    layers = layers_of(case, tmp_path)
    depths = {layer.type: dict(layer.fields).get("depth") for layer in layers}
    assert depths == {
        "pointwise_conv_2d": "4",
        "depthwise_3x3": "4",
        "pool_2d": "4",
        "fully_connected": None,
    }
    assert dict(layers[-1].fields)["inputs"] == "4"
    assert [layer.macs for layer in layers if layer.type == "pointwise_conv_2d"] == [
        6 * 5 * 3 * 64,
        6 * 5 * 64 * 32,
        6 * 5 * 32 * 32,
    ]


def test_a_constant_beside_padding_stays(tmp_path: Path) -> None:
    """A kernel of 3 x 3 sees the zero point at the edges, and the constant beside it."""
    case = replace(FIRST, depths=(8, 8), zeros=(-128, 5), dead=1.0, window=3, end="none")
    path = tmp_path / "case.tflite"
    path.write_bytes(case.build().bytes())
    graph = load_graph(path)
    ranges = channel_ranges(graph)
    program = lower(graph)
    known = ranges[graph.nodes[1].outputs[0]]
    kept = program.kept.get(graph.nodes[1].outputs[0], np.arange(8))
    zero = graph.nodes[1].outputs[0]
    point = graph.tensors[zero].quantization
    assert point is not None
    needed = ~(known.constant & (known.low == point.zero_point))
    assert needed.any()
    assert set(np.flatnonzero(needed)) <= set(kept.tolist())


def test_without_constants_the_model_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, depths=(8,), dead=0.0, end="none").build().bytes())
    graph = load_graph(path)
    assert without_constant_channels(graph).graph is graph
