# SPDX-License-Identifier: Apache-2.0
"""Pooling, means, what moves 16-bit values, and float ends, against the reference interpreter."""

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
from tests.support.exact import ONE_BATCH, Batch, batches, check, positions
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from workbench.verify.outputs import float_probes
from workbench.verify.reference import ReferenceInterpreter


@dataclass(frozen=True)
class Pool:
    """A model of one pooling, or of a MEAN or REDUCE_MAX over `axes`."""

    op: str
    shape: tuple[int, ...]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: str = "same"
    activation: str = "none"
    axes: tuple[int, ...] = ()
    scale: float = 3e-4
    output_scale: float = 3e-4

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = model.tensor((1, *self.shape), "int16", self.scale)
        if self.op in ("MEAN", "REDUCE_MAX"):
            axes = model.constant(np.array(self.axes, np.int32))
            kept = [1 if axis in self.axes else size for axis, size in enumerate((1, *self.shape))]
            y = model.tensor(kept, "int16", self.output_scale if self.op == "MEAN" else self.scale)
            model.operator(self.op, [x, axes], [y], {"keepDims": True})
            return model.ends([x], [y])
        places = positions(self.shape[:2], self.kernel, self.stride, (1, 1), self.padding)
        y = model.tensor((1, *places, self.shape[2]), "int16", self.scale)
        options = {
            "padding": PADDINGS[self.padding],
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "filterHeight": self.kernel[0],
            "filterWidth": self.kernel[1],
            "fusedActivationFunction": ACTIVATIONS[self.activation],
        }
        model.operator(self.op, [x], [y], options)
        return model.ends([x], [y])


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Any of them that makes an output."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    shape = tuple(draw(st.integers(size, size + 5)) for size in kernel)
    return Pool(
        op=draw(st.sampled_from(("AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "REDUCE_MAX"))),
        shape=(*shape, draw(st.integers(1, 5))),
        kernel=kernel,
        stride=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        padding=draw(st.sampled_from(("same", "valid"))),
        activation=draw(st.sampled_from(("none", "relu", "relu6"))),
        axes=tuple(sorted(draw(st.sets(st.integers(1, 3), min_size=1)))),
        output_scale=float(np.float32(2.0 ** draw(st.floats(-16, -8)))),
    )


@ONE_BATCH
@given(batches(pools()))
def test_any_pooling(cases: Batch) -> None:
    check(cases)


@dataclass(frozen=True)
class Moved:
    """Half of the input turned, padded, cut, stacked with itself and split again."""

    rows: int
    columns: int
    depth: int

    def build(self) -> Builder:
        """The model: every operator that moves values of a convolutional or an unrolled recurrent net."""
        model = Builder()
        rows, columns, depth = self.rows, self.columns, self.depth
        x = self._tensor(model, (1, rows, columns, 2 * depth))
        halves = [self._tensor(model, (1, rows, columns, depth)) for _ in range(2)]
        model.operator("SPLIT", [model.constant(np.array(3, np.int32)), x], halves, {"numSplits": 2})
        turned = self._tensor(model, (1, columns, rows, depth))
        order = model.constant(np.array((0, 2, 1, 3), np.int32))
        model.operator("TRANSPOSE", [halves[0], order], [turned], {})
        padded = self._tensor(model, (1, columns + 3, rows + 1, depth))
        paddings = model.constant(np.array(((0, 0), (1, 2), (0, 1), (0, 0)), np.int32))
        model.operator("PAD", [turned, paddings], [padded], {})
        cut = self._tensor(model, (1, columns, rows, depth))
        ends = [(0, 2, 1, 0), (1, columns + 2, rows + 1, depth), (1, 1, 1, 1)]
        places = [model.constant(np.array(place, np.int32)) for place in ends]
        model.operator("STRIDED_SLICE", [padded, *places], [cut], {})
        again = self._tensor(model, (1, rows, columns, depth))
        model.operator("TRANSPOSE", [cut, order], [again], {})
        fixed = model.constant(np.arange(columns * depth, dtype=np.int16).reshape(1, 1, columns, depth), 3e-4)
        joined = self._tensor(model, (1, 2 * rows + 1, columns, depth))
        fused = {"fusedActivationFunction": 0}
        model.operator("CONCATENATION", [again, fixed, halves[1]], [joined], {"axis": 1, **fused})
        steps = [self._tensor(model, (1, columns, depth)) for _ in range(2 * rows + 1)]
        model.operator("UNPACK", [joined], steps, {"num": len(steps), "axis": 1})
        packed = self._tensor(model, (1, 2, columns, depth))
        model.operator("PACK", [steps[-1], steps[0]], [packed], {"valuesCount": 2, "axis": 1})
        flat = self._tensor(model, (1, 2 * columns * depth))
        shape = model.constant(np.array((1, -1), np.int32))
        model.operator("RESHAPE", [packed, shape], [flat], {"newShape": [1, -1]})
        return model.ends([x], [joined, flat])

    @staticmethod
    def _tensor(model: Builder, shape: tuple[int, ...]) -> int:
        return model.tensor(shape, "int16", 3e-4)


def test_values_are_moved() -> None:
    check([Moved(2, 3, 1), Moved(3, 2, 4), Moved(4, 5, 3)])


def float_ends(path: Path, scale: float) -> Path:
    """Float in, a RELU of 16 bits, float out."""
    model = Builder()
    x = model.tensor((1, 64), "float32")
    quantized = model.tensor((1, 64), "int16", scale)
    model.operator("QUANTIZE", [x], [quantized])
    made = model.tensor((1, 64), "int16", float(np.float32(scale * 1.5)))
    model.operator("LEAKY_RELU", [quantized], [made], {"alpha": 0.8})
    y = model.tensor((1, 64), "float32")
    model.operator("DEQUANTIZE", [made], [y])
    return model.write(path, [x], [y])


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_float_ends(target: str, tmp_path: Path) -> None:
    """Steps, half steps, numbers near them, and numbers beyond the range."""
    scales = [2.0**-12, 1.0, 3e-4, 1.9999999, 1.2e-20, 7e18]
    paths = [float_ends(tmp_path / f"{at}.tflite", float(np.float32(s))) for at, s in enumerate(scales)]
    models = ModelsC(paths, target=target)
    inputs = []
    for at, graph in enumerate(models.graphs):
        values, _ = float_probes(graph, graph.inputs[0], 40 if target == "pc" else 4, at)
        near = np.nextafter(values, np.random.default_rng(at).choice([-np.inf, np.inf], values.shape))
        inputs.append(np.concatenate([values, near.astype(np.float32), values * 1e-12]).astype(np.float32))
    found = models.run(inputs)
    with ReferenceInterpreter(paths[0]) as reference:
        for path, rows, outputs in zip(paths, inputs, found, strict=True):
            reference.load(path)
            wanted = reference.run(rows)
            assert np.array_equal(wanted.view(np.uint32), outputs.view(np.uint32)), path
            assert len(np.unique(wanted)) > 100
            tally_case(path, outputs.size, target)


def test_on_a_cortex_m4() -> None:
    pool = Pool("AVERAGE_POOL_2D", (5, 4, 3), (3, 2), (2, 1))
    means = [Pool("MEAN", (5, 4, 3), axes=axes, output_scale=1e-4) for axes in ((1, 2), (1, 3))]
    largest = replace(means[1], op="REDUCE_MAX")
    check([pool, replace(pool, op="MAX_POOL_2D"), *means, largest, Moved(2, 3, 2)], target="qemu")


def test_a_float_between_layers_of_16_bits_is_told_of(tmp_path: Path) -> None:
    model = Builder()
    x, y = (model.tensor((1, 8), "int16", 3e-4) for _ in range(2))
    floats = [model.tensor((1, 8), "float32") for _ in range(2)]
    model.operator("DEQUANTIZE", [x], floats[:1])
    model.operator("ELU", floats[:1], floats[1:])
    model.operator("QUANTIZE", floats[1:], [y])
    with pytest.raises(UserError, match="ELU computes in float between layers of int16"):
        load_graph(model.write(tmp_path / "model.tflite", [x], [y]))


def test_what_has_no_form_of_16_bits_is_refused(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 8), "int16", 3e-4)
    y = model.tensor((1, 8), "int16", 3e-4)
    model.operator("HARD_SWISH", [x], [y])
    with pytest.raises(UserError, match=r"HARD_SWISH.*its input is int16; int8 is needed"):
        load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
