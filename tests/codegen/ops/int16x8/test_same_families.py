# SPDX-License-Identifier: Apache-2.0
"""Families that serve int8 and int16 alike: the cases of int8, with 16-bit activations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ai_edge_litert.schema_py_generated as schema
import numpy as np
import pytest
from hypothesis import given

from tests.codegen.ops.test_batch_matmul import Product
from tests.codegen.ops.test_movement import Movement
from tests.codegen.ops.test_rearrange import CASES
from tests.codegen.ops.test_resize import BILINEAR, MODES, NEAREST, Resize, resizes
from tests.codegen.passes.test_dilation import FIRST as DILATED
from tests.codegen.passes.test_transpose_conv import FIRST as TRANSPOSED
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Case, Step, batches, check

STEP = Step(0.05, 0)


@dataclass(frozen=True)
class Wide:
    """The same model: activations of int16 with the zero point 0, biases of int64."""

    case: Case

    def build(self) -> Builder:
        """The model."""
        model = self.case.build()
        for tensor in model.graph.tensors:
            if tensor.type == schema.TensorType.INT8 and not tensor.buffer:
                tensor.type = schema.TensorType.INT16
                tensor.quantization.zeroPoint = [0]
                tensor.quantization.scale = [tensor.quantization.scale[0] / 256]
            elif tensor.type == schema.TensorType.INT32 and tensor.buffer and tensor.quantization:
                buffer = model.model.buffers[tensor.buffer]
                values = np.frombuffer(bytes(buffer.data), np.int32).astype(np.int64)
                buffer.data = np.frombuffer(values.tobytes(), np.uint8)
                tensor.type = schema.TensorType.INT64
        return model


def moved() -> list[Wide]:
    """Each operator that moves values."""
    shape = (1, 4, 6)
    cases = [
        Movement("TRANSPOSE", shape, ((0, 2, 1),)),
        Movement("SLICE", shape, ((0, 1, 2), (1, -1, 3))),
        Movement("SPLIT", shape, (2,), (("numSplits", 3),)),
        Movement("SPLIT_V", shape, ((1, 3), 1), (("numSplits", 2),)),
        Movement("UNPACK", shape, (), (("num", 4), ("axis", 1))),
        Movement("SQUEEZE", (1, 4, 1, 6)),
        Movement("EXPAND_DIMS", shape, (2,)),
        Movement("PAD", shape, (((0, 0), (1, 2), (0, 1)),)),
    ]
    # which LiteRT has no kernel for in 16 bits, though nothing is computed
    unknown = ("SPACE_TO_DEPTH", "DEPTH_TO_SPACE")
    return [
        *(Wide(case) for case in cases),
        *(Wide(case) for case in CASES if case.op not in unknown),
    ]


def resized() -> list[Wide]:
    """To more rows and columns and to fewer, in each way of placing them."""
    sizes = ((3, 4, 2, 6, 8), (5, 7, 3, 2, 3), (1, 9, 1, 4, 20), (12, 11, 2, 12, 5))
    return [Wide(Resize(op, *size, mode)) for op in (NEAREST, BILINEAR) for size in sizes for mode in MODES]


def convolved() -> list[Wide]:
    """Convolutions that passes make of other operators."""
    whole = replace(TRANSPOSED, sizes=(4, 5), taps=(3, 3), stride=(2, 2))
    cases = [replace(case, bias=bias) for case in (TRANSPOSED, whole) for bias in (True, False)]
    return [*(Wide(case) for case in cases), Wide(DILATED)]


def products() -> list[Wide]:
    """Of matrices: either way round, with batches, with a constant."""
    first = Product((2,), (1,), 3, 5, 4, (False, False), constant=False, input_=STEP, output=STEP, seed=1)
    turned = [replace(first, turned=turned) for turned in ((True, False), (False, True), (True, True))]
    return [Wide(case) for case in (first, *turned, replace(first, rows=5, columns=2))]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_every_value_is_the_references(target: str) -> None:
    check([*moved(), *resized(), *convolved(), *products()], target=target)


@pytest.mark.parametrize("op", [NEAREST, BILINEAR])
def test_any_size(op: str) -> None:
    @ONE_BATCH
    @given(batches(resizes(op).map(Wide)))
    def each(cases: Batch) -> None:
        check(cases)

    each()
