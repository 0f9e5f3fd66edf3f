# SPDX-License-Identifier: Apache-2.0
"""Dilated convolutions in three operators, as TensorFlow writes them for an open batch."""

from __future__ import annotations

from collections.abc import Sequence
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
class Dilated:
    """A model of SPACE_TO_BATCH_ND, [EXPAND_DIMS,] a convolution, [RESHAPE,] BATCH_TO_SPACE_ND."""

    sizes: tuple[int, ...]  # one axis, or rows and columns
    taps: tuple[int, ...]
    block: tuple[int, ...]
    margin: str  # what the layer's padding was: "same", "valid", or any
    channels: int
    outputs: int  # 0: a depthwise convolution
    between: bool  # a RELU on the batches
    opened: bool
    input_: Step
    seed: int
    crops_more: bool = False  # more than was padded

    def margins(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Paddings and crops, as TensorFlow's required_space_to_batch_paddings has them."""
        random = np.random.default_rng(self.seed)
        pads, crops = [], []
        for size, tap, block in zip(self.sizes, self.taps, self.block, strict=True):
            reach = (tap - 1) * block
            low, high = reach // 2, reach - reach // 2
            if self.margin != "same":
                low, high = (0, 0) if self.margin == "valid" else map(int, random.integers(0, 4, 2))
                high += max(0, reach + 1 - size - low - high)  # an output at least
            more = -(size + low + high) % block
            pads.append((low, high + more))
            crops.append((int(self.crops_more), more))
        return pads, crops

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        pads, crops = self.margins()
        quantized = (self.input_.scale, self.input_.zero_point)
        batches = int(np.prod(self.block))
        depth = self.channels
        x = self._tensor(model, 1, self.sizes, depth, quantized)
        block = model.constant(np.array(self.block, np.int32))
        sizes = [(size + sum(pad)) // by for size, pad, by in zip(self.sizes, pads, self.block, strict=True)]
        dealt = self._tensor(model, batches, sizes, depth, quantized)
        operands = [x, block, model.constant(np.array(pads, np.int32))]
        model.operator("SPACE_TO_BATCH_ND", operands, [dealt])
        if len(sizes) == 1:
            before, dealt = dealt, self._tensor(model, batches, (1, *sizes), depth, quantized)
            model.operator("EXPAND_DIMS", [before, model.constant(np.array(-3, np.int32))], [dealt])
        kernel = (*[1] * (2 - len(self.taps)), *self.taps)
        scale = 2.0**-7
        shape = (self.outputs, *kernel, depth) if self.outputs else (1, *kernel, depth)
        weights = model.constant(
            random.integers(-127, 128, shape, dtype=np.int8), scale, axis=0 if self.outputs else 3
        )
        depth = self.outputs or depth
        bias = random.integers(-500, 500, depth).astype(np.int32)
        added = model.constant(bias, scale * self.input_.scale)
        quantized = (self.input_.scale * 4, 3)
        sizes = [size - tap + 1 for size, tap in zip(sizes, self.taps, strict=True)]
        made = self._tensor(model, batches, (*[1] * (2 - len(sizes)), *sizes), depth, quantized)
        options = {
            "padding": PADDINGS["valid"],
            "strideH": 1,
            "strideW": 1,
            "dilationHFactor": 1,
            "dilationWFactor": 1,
            "fusedActivationFunction": ACTIVATIONS["none"],
        }
        if not self.outputs:
            options["depthMultiplier"] = 1
        model.operator(
            "CONV_2D" if self.outputs else "DEPTHWISE_CONV_2D", [dealt, weights, added], [made], options
        )
        if self.between:
            before, made = (
                made,
                self._tensor(model, batches, (*[1] * (2 - len(sizes)), *sizes), depth, quantized),
            )
            model.operator("RELU", [before], [made])
        if len(sizes) == 1:
            before, made = made, self._tensor(model, batches, sizes, depth, quantized)
            wanted = model.constant(np.array([-1, *sizes, depth], np.int32))
            model.operator("RESHAPE", [before, wanted], [made])
        whole = [size * by - sum(crop) for size, by, crop in zip(sizes, self.block, crops, strict=True)]
        y = self._tensor(model, 1, whole, depth, quantized)
        model.operator("BATCH_TO_SPACE_ND", [made, block, model.constant(np.array(crops, np.int32))], [y])
        return model.ends([x], [y])

    def _tensor(
        self, model: Builder, batch: int, sizes: Sequence[int], depth: int, quantized: tuple[float, int]
    ) -> int:
        shape = (1 if self.opened else batch, *sizes, depth)
        signature = (-1, *shape[1:]) if self.opened else None
        return model.tensor(shape, "int8", *quantized, signature=signature)


@st.composite
def dilated(draw: st.DrawFn) -> Dilated:
    """Of one axis or two."""
    axes = draw(st.integers(1, 2))
    taps = tuple(draw(st.integers(2, 4)) for _ in range(axes))
    block = tuple(draw(st.integers(1 if axes == 2 else 2, 3)) for _ in range(axes))
    # at least two rows in each batch, before and after: a size of 1 could be the axis that is added
    return Dilated(
        sizes=tuple((tap + draw(st.integers(1, 4))) * by for tap, by in zip(taps, block, strict=True)),
        taps=taps,
        block=block,
        margin=draw(st.sampled_from(("same", "valid", "any"))),
        channels=draw(st.integers(1, 5)),
        outputs=draw(st.integers(0, 5)),
        between=draw(st.booleans()),
        opened=draw(st.booleans()),
        input_=draw(steps(-5, -1)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@ONE_BATCH
@given(batches(dilated()))
def test_any_dilated_convolution(cases: Batch) -> None:
    check(cases)


FIRST = Dilated((13,), (3,), (2,), "same", 3, 4, between=False, opened=True, input_=Step(0.1, 5), seed=1)


def test_one_kernel_is_left(tmp_path: Path) -> None:
    """With padding "same" no tensor of padded rows; otherwise a PAD in front."""
    assert [layer.type for layer in layers_of(FIRST, tmp_path)] == ["conv_2d"]
    found = layers_of(replace(FIRST, margin="any"), tmp_path)
    assert [layer.node.op for layer in found] == ["PAD", "CONV_2D"]
    graph = load_graph(tmp_path / "case.tflite")
    (convolution,) = [node for node in graph.nodes if node.op == "CONV_2D"]
    assert convolution.options["dilation_w_factor"] == 2
    assert not {"SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"} & {node.op for node in graph.nodes}


def test_what_crops_more_than_it_pads_is_refused_by_name(tmp_path: Path) -> None:
    """No convolution does that; nor is the file damaged."""
    path = tmp_path / "cropped.tflite"
    path.write_bytes(replace(FIRST, margin="valid", crops_more=True).build().bytes())
    with pytest.raises(UserError, match="SPACE_TO_BATCH_ND"):
        load_graph(path)
