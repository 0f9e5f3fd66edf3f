# SPDX-License-Identifier: Apache-2.0
"""Convolutions and dense layers that write over their input, in chains where nothing else keeps it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from codegen.ops.depthwise_forms import Depthwise
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.models.networks import Network
from tests.support import exact
from tests.support.exact import check, positions
from tests.support.models_c import model_plan


class Chain(Network):
    """Windows of any stride and dilation one after the other."""

    def window(
        self, depth: int, kernel: tuple[int, int], stride: tuple[int, int], dilation: int, padding: str
    ) -> None:
        """CONV_2D, or DEPTHWISE_CONV_2D where `depth` is 0."""
        inputs, depthwise = self.shape[3], depth == 0
        depth = depth or inputs
        scales = self.random.uniform(0.002, 0.01, depth).astype(np.float32)
        shape = (1, *kernel, depth) if depthwise else (depth, *kernel, inputs)
        w = self.constant(
            self.random.integers(-127, 128, shape, np.int8), scales.tolist(), axis=3 if depthwise else 0
        )
        bias = self.random.integers(-2000, 2000, depth).astype(np.int32)
        b = self.constant(bias, (scales * np.float32(self.scale)).tolist())
        places = positions(self.shape[1:3], kernel, stride, (dilation, dilation), padding)
        source, products = self.last, int(np.prod(shape[1:3])) * (1 if depthwise else inputs)
        scale = self._out_scale(float(scales.mean()), products)
        zero_point = -128 if self.random.integers(2) else int(self.random.integers(-20, 20))
        self.last = self._next((1, *places, depth), scale, zero_point, f"t{len(self.graph.operators)}")
        options = {
            "padding": PADDINGS[padding],
            "strideH": stride[0],
            "strideW": stride[1],
            "dilationHFactor": dilation,
            "dilationWFactor": dilation,
            "fusedActivationFunction": ACTIVATIONS["relu" if zero_point == -128 else "none"],
        }
        if depthwise:
            options["depthMultiplier"] = 1
        self.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [source, w, b], [self.last], options)


@dataclass(frozen=True)
class Case:
    """A random chain; its first layer moves the model's input into the arena."""

    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        depth = int(random.integers(1, 9))
        chain = Chain(self.seed, (1, int(random.integers(1, 9)), int(random.integers(1, 9)), depth))
        chain.window(int(random.integers(1, 9)), (1, 1), (1, 1), 1, "same")
        for _ in range(int(random.integers(1, 5))):
            kind = int(random.integers(4))
            rows, columns = (int(size) for size in random.integers(1, 5, 2))
            stride = tuple(int(step) for step in random.choice([1, 1, 1, 2, 3], 2))
            same = chain.shape[3] if random.integers(2) else int(random.integers(1, 9))
            if kind == 0:
                chain.window(same, (1, 1), (stride[0], stride[1]), 1, "same")
            elif kind == 1:
                chain.window(0, (3, 3), (1, 1), 1, "same")
            else:
                dilation = int(random.integers(1, 3)) if stride == (1, 1) else 1
                chain.window(same, (rows, columns), (stride[0], stride[1]), dilation, "same")
        chain.flatten(dynamic=False)
        chain.dense(int(random.integers(1, 9)))
        chain.dense(3)
        return chain.ends([chain.input], [chain.last])


def in_place(case: exact.Case, folder: Path) -> list[str]:
    """Kernels whose output lies where their input lay."""
    path = folder / "case.tflite"
    path.write_bytes(case.build().bytes())
    planned = model_plan(load_graph(path))
    found = []
    for layer in planned.program.layers:
        places = [planned.offset(tensor) for tensor in (layer.inputs[0], layer.output)]
        if places[0] is not None and places[0] == places[1]:
            found.append(layer.type)
    return found


CASES = [Case(seed) for seed in range(40)]


def test_chains_on_this_machine() -> None:
    check(CASES)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_chains_on_a_cortex_m4(kernels: str) -> None:
    check(CASES[:12], kernels=kernels, target="qemu")


def test_each_kernel_does_work_in_place(tmp_path: Path) -> None:
    times = Counter(kernel for case in CASES for kernel in in_place(case, tmp_path))
    for kernel in ("conv_2d", "pointwise_conv_2d", "depthwise_3x3", "fully_connected"):
        assert times[kernel] >= 5, times


@dataclass(frozen=True)
class Lines:
    """Two depthwise layers of this kernel, line by line."""

    rows: int
    columns: int
    depth: int
    kernel: tuple[int, int]

    def build(self) -> Builder:
        """The model; its first layer moves the input into the arena."""
        chain = Chain(self.rows, (1, self.rows, self.columns, 3))
        chain.window(self.depth, (1, 1), (1, 1), 1, "same")
        chain.window(0, self.kernel, (1, 1), 1, "same")
        chain.window(0, self.kernel, (1, 1), 1, "same")
        chain.window(2, (1, 1), (1, 1), 1, "same")
        return chain.ends([chain.input], [chain.last])


LINES = [
    Lines(8, 9, 8, (5, 5)),
    Lines(7, 12, 4, (4, 2)),
    Lines(12, 5, 8, (2, 6)),
    Lines(1, 20, 12, (1, 7)),
    Lines(7, 7, 6, (5, 5)),  # four channels at a time overlap: not in place
]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_lines_of_depthwise_layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str) -> None:
    monkeypatch.setattr(Depthwise, "general_work", lambda _: 1 << 60)
    for case in LINES:
        assert in_place(case, tmp_path).count("depthwise_lines") == (2 if case.depth % 4 == 0 else 0), case
    check(LINES, target=target)


@dataclass(frozen=True)
class Growing:
    """The second layer's output is as large as its input, but its first rows reach beyond those read."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    depth: int

    def build(self) -> Builder:
        """The model."""
        chain = Chain(1, (1, 6, 4, 2))
        chain.window(2, (1, 1), (1, 1), 1, "same")
        chain.window(self.depth, self.kernel, self.stride, 1, "same")
        chain.window(2, (3, 3), (1, 1), 1, "same")
        return chain.ends([chain.input], [chain.last])


GROWING = [
    Growing((1, 1), (2, 1), 4),
    Growing((1, 1), (2, 2), 8),
    Growing((1, 3), (2, 1), 4),
    Growing((2, 3), (3, 1), 6),
]


def test_an_output_that_outgrows_its_input_has_its_own_place(tmp_path: Path) -> None:
    for case in GROWING:
        path = tmp_path / "growing.tflite"
        path.write_bytes(case.build().bytes())
        layers = model_plan(load_graph(path)).program.layers
        assert [bool(layer.in_place) for layer in layers] == [True, False, True], case
    check(GROWING)
