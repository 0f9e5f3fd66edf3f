# SPDX-License-Identifier: Apache-2.0
"""Rows of 16-bit layers that are kept from decision to decision: each decision is the reference's."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Layout
from codegen.compile import compile_app
from codegen.emit.modes import mode_plan, mode_table
from codegen.incremental import Edges
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_edges import Padded, poisoned
from tests.codegen.incremental.test_incremental import compare
from tests.models.builder import ACTIVATIONS, PADDINGS, TYPES, Builder
from tests.support.streams_c import App, plan_of
from tests.support.tools import need_target
from tests.support.tutorial import noises
from workbench.profiling.profile import profile
from workbench.protocol.lines import Stage, parse_line
from workbench.targets import open_app
from workbench.verify.reference import ReferenceInterpreter

CEPSTRA, LABELS = 6, 3
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class Net:
    """Convolutions with padding and strides, a branch, pooling, functions, a mean over time, a softmax."""

    frames: int = 24
    stride: int = 1
    every: int = 1
    padding: str = "same"

    def write(self, folder: Path) -> Path:
        """The app: every window is decided."""
        folder.mkdir()
        self._model().write(folder / "model.tflite", self.inputs, self.outputs)
        (folder / "pipeline.toml").write_text(
            f"[mfcc]\ncepstra = {CEPSTRA}\n[gate]\nthreshold = -1\n"
            f"[cascade]\nframes = {self.frames}\nevery = {self.every}\n"
            '[classifier]\nmodel = "model.tflite"\n[decision]\nlabels = ["a", "b", "c"]\nthreshold = 0.4\n'
        )
        return folder

    inputs = (0,)

    @property
    def outputs(self) -> tuple[int]:
        """The model's last tensor."""
        return (len(self._model().graph.tensors) - 1,)

    def _model(self) -> Builder:
        model = Builder()
        random = np.random.default_rng(3)
        rows = self.frames

        def made(shape: tuple[int, ...], scale: float) -> int:
            return model.tensor((1, *shape), "int16", scale)

        def weights(shape: tuple[int, ...], inner: float, scale: float) -> list[int]:
            depth = shape[3] if shape[0] == 1 and len(shape) == 4 else shape[0]
            axis = 3 if depth != shape[0] else 0
            values = random.integers(-127, 128, shape, np.int8)
            scales = [scale * factor for factor in np.linspace(0.5, 1.5, depth)]
            bias = random.integers(-900, 900, depth).astype(np.int64)
            return [
                model.constant(values, scales, axis=axis),
                model.constant(bias, [inner * each for each in scales]),
            ]

        def window(stride: int, padding: str = "same") -> dict[str, int]:
            return {"padding": PADDINGS[padding], "strideH": stride, "strideW": 1}

        x = made((rows, CEPSTRA, 1), 1 / 120)
        cut = 0 if self.padding == "same" else 2
        shape = (rows - cut, CEPSTRA - cut, 4)
        first = made(shape, 0.02)
        options = window(1, self.padding) | {"fusedActivationFunction": ACTIVATIONS["relu"]}
        model.operator("CONV_2D", [x, *weights((4, 3, 3, 1), 1 / 120, 0.005)], [first], options)
        second = made(shape, 0.01)
        same = {"padding": PADDINGS["same"], "strideH": 1, "strideW": 1, "depthMultiplier": 1}
        model.operator("DEPTHWISE_CONV_2D", [first, *weights((1, 3, 3, 4), 0.02, 0.003)], [second], same)
        gate = made(shape, 1 / 32768)
        model.operator("LOGISTIC", [second], [gate])
        total = made(shape, 0.02)
        model.operator("MUL", [first, gate], [total], {"fusedActivationFunction": 0})
        rows, columns = -(-shape[0] // self.stride), shape[1]
        third = made((rows, columns, 5), 0.05)
        model.operator("CONV_2D", [total, *weights((5, 3, 3, 4), 0.02, 0.002)], [third], window(self.stride))
        pooled = made((rows, columns, 5), 0.05)
        pool = {"padding": PADDINGS["same"], "strideH": 1, "strideW": 1, "filterHeight": 2, "filterWidth": 2}
        model.operator("MAX_POOL_2D", [third], [pooled], pool)
        mean = made((columns, 5), 0.05)
        axes = model.constant(np.array([1], np.int32))
        model.operator("MEAN", [pooled, axes], [mean], {"keepDims": False})
        flat = made((columns * 5,), 0.05)
        to = model.constant(np.array([1, columns * 5], np.int32))
        model.operator("RESHAPE", [mean, to], [flat])
        logits = made((LABELS,), 0.001)
        dense = weights((LABELS, columns * 5), 0.05, 0.0015)
        model.operator("FULLY_CONNECTED", [flat, *dense], [logits], {"quantizedBiasType": TYPES["int64"]})
        model.operator("SOFTMAX", [logits], [made((LABELS,), 1 / 32768)], {"beta": 1.0})
        return model


class Widened(Padded):
    """A random network of int8 whose activations have 16 bits between a QUANTIZE at either end."""

    def save(self, path: Path, output: int) -> Path:
        """The file."""
        ends = (self.input, output)
        steps = [copy.deepcopy(self.graph.tensors[end].quantization) for end in ends]
        names = [code.name for code in self.model.operatorCodes]
        operators = [(names[one.opcodeIndex], one) for one in self.graph.operators]
        weights = {index for op, one in operators if op in WEIGHTED for index in one.inputs[1:]}
        for index, tensor in enumerate(self.graph.tensors):
            if tensor.type == TYPES["int8"] and index not in weights:
                self._widen(tensor)
            elif tensor.type == TYPES["int32"] and index in weights:
                self._retype(tensor, "int64", self._values(tensor, np.int32).astype(np.int64))
        for op, one in operators:
            if op in ("LOGISTIC", "TANH"):
                self.graph.tensors[one.outputs[0]].quantization.scale = [1 / 32768]
            elif op == "FULLY_CONNECTED":
                one.builtinOptions.quantizedBiasType = TYPES["int64"]
        outer = [
            self.tensor(self.graph.tensors[end].shape, "int8", step.scale[0], int(step.zeroPoint[0]))
            for end, step in zip(ends, steps, strict=True)
        ]
        self.operator("QUANTIZE", [outer[0]], [ends[0]])
        self.graph.operators.insert(0, self.graph.operators.pop())
        self.operator("QUANTIZE", [ends[1]], [outer[1]])
        return self.write(path, outer[:1], outer[1:])

    def _widen(self, tensor: Any) -> None:
        zero, scale = int(tensor.quantization.zeroPoint[0]), tensor.quantization.scale[0]
        if tensor.buffer:
            self._retype(tensor, "int16", (self._values(tensor, np.int8).astype(np.int16) - zero) * 128)
            tensor.quantization.scale = [scale / 128]
        else:
            tensor.type = TYPES["int16"]
            tensor.quantization.scale = [scale / 256]
        tensor.quantization.zeroPoint = [0]

    def _values(self, tensor: Any, dtype: type[np.generic]) -> NDArray[Any]:
        return np.frombuffer(bytes(self.model.buffers[tensor.buffer].data), dtype)

    def _retype(self, tensor: Any, dtype: str, values: NDArray[Any]) -> None:
        self.model.buffers[tensor.buffer].data = np.frombuffer(values.astype(dtype).tobytes(), np.uint8)
        tensor.type = TYPES[dtype]


def widened(seeds: range, folder: Path) -> list[App]:
    """Those of which rows near the ends are computed."""
    found = []
    for seed in seeds:
        frames, cepstra = 24 + seed % 16, 3 + seed % 7
        made = Widened(seed, frames, cepstra)
        path = made.save(folder / f"widened{seed}.tflite", made.end_dense(made.padded()))
        app = App(path, frames, cepstra, Layout.FRAMES_BY_CEPSTRA, ("small", "fast")[seed % 2])
        if isinstance(plan_of(app, load_graph(path)), Edges):
            found.append(app)
    return found


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_random_networks(tmp_path: Path, target: str) -> None:
    """Padding, strides, pools and branches, over many windows with gaps and full runs."""
    apps = widened(range(30) if target == "pc" else range(30, 45), tmp_path)
    assert len(apps) > (9 if target == "pc" else 4)
    plans = [plan_of(app, load_graph(app.model)) for app in apps]
    assert {plan.phases for plan in plans if isinstance(plan, Edges)} >= {1, 2}
    assert compare(apps, target=target, windows=40 if target == "pc" else 12) > 10 * len(apps)


def test_poisoned_rows_change_the_scores_until_they_have_left(tmp_path: Path) -> None:
    poisoned(widened(range(8, 14), tmp_path))


@pytest.mark.parametrize(
    "net", [Net(), Net(stride=2), Net(every=2, stride=2), Net(padding="valid")], ids=repr
)
def test_each_decision_is_the_references(tmp_path: Path, net: Net) -> None:
    folder = net.write(tmp_path / "net")
    table = mode_table(mode_plan(compile_app(folder)))
    assert "computed in full at every decision" not in table, table
    said = {}
    for target in ("pc", "qemu"):
        need_target(target)
        with open_app(folder, target) as device:
            device.command("stages on")
            said[target] = list(device.replay(noises(3, 4)))
    assert said["pc"] == said["qemu"]

    stages = [line for line in map(parse_line, said["pc"]) if isinstance(line, Stage)]
    heard = np.array([line.values for line in stages if line.stage == "features"], np.int64)
    scores = [line for line in stages if line.stage == "scores"]
    ends = [end for end in range(1, len(heard) + 1) if end >= net.frames and end % net.every == 0]
    assert len(scores) == len(ends) > 30
    entering = np.array([heard[end - net.frames : end] * 120 for end in ends]).astype(np.int16)
    with ReferenceInterpreter(folder / "model.tflite") as reference:
        shares = reference.run(entering.reshape(-1, net.frames, CEPSTRA, 1)).reshape(-1, LABELS)
    found = np.array([line.values for line in scores])
    # the last step, to 8 bits, is that of tests/codegen/passes/test_int16_ends.py
    assert np.abs(np.clip(shares / 128.0 - 128, -128, 127) - found).max() <= 0.52
    assert len(np.unique(found)) > 10


def test_fewer_instructions(tmp_path: Path) -> None:
    found = profile(Net().write(tmp_path / "net"))
    assert found.decisions.incremental is not None
    assert found.decisions.incremental < found.decisions.full / 2
