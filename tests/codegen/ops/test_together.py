# SPDX-License-Identifier: Apache-2.0
"""Operators where their place in a model matters: read twice, ending it, without a call of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check

NONE = {"fusedActivationFunction": ACTIVATIONS["none"]}


@dataclass(frozen=True)
class Named:
    """A model and what it is for."""

    name: str
    make: Callable[[Builder], tuple[int, int]]

    def build(self) -> Builder:
        """The model, with its two ends."""
        model = Builder()
        x, y = self.make(model)
        return model.ends([x], [y])


def ints(model: Builder, values: Any) -> int:
    return model.constant(np.array(values, np.int32))


def tensor(model: Builder, *shape: int, step: float = 0.1, zero: int = 3) -> int:
    return model.tensor(shape, "int8", step, zero)


def twice(op: str) -> Callable[[Builder], tuple[int, int]]:
    """Both operands are the input."""

    def make(model: Builder) -> tuple[int, int]:
        x, y = tensor(model, 1, 3, 4), tensor(model, 1, 3, 4, step=0.15, zero=-7)
        model.operator(op, [x, x], [y], {} if op in ("MAXIMUM", "MINIMUM") else NONE)
        return x, y

    return make


def input_read_late(model: Builder) -> tuple[int, int]:
    """The input lives until the second layer; a third layer is read by nobody."""
    x, y = tensor(model, 1, 3, 4), tensor(model, 1, 3, 4, step=0.15)
    model.operator("MUL", [x, x], [y], NONE)
    z, unused = tensor(model, 1, 3, 4, step=0.2), tensor(model, 1, 3, 4, step=0.2)
    model.operator("ADD", [y, x], [z], NONE)
    model.operator("RELU", [z], [unused])
    return x, z


def output_read_again(model: Builder) -> tuple[int, int]:
    x, y, z = tensor(model, 1, 8), tensor(model, 1, 8, step=0.15), tensor(model, 1, 8, step=0.15)
    model.operator("LEAKY_RELU", [x], [y], {"alpha": 0.2})
    model.operator("RELU", [y], [z])
    return x, y


def joined_to_itself(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 4), tensor(model, 1, 8)
    model.operator("CONCATENATION", [x, x], [y], {"axis": 1, **NONE})
    return x, y


def joined_to_a_constant(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 4), tensor(model, 1, 8)
    constant = model.constant(np.arange(4, dtype=np.int8).reshape(1, 4), 0.1, 3)
    model.operator("CONCATENATION", [constant, x], [y], {"axis": 1, **NONE})
    return x, y


def joined_to_another_types_constant(
    dtype: str, values: Sequence[int]
) -> Callable[[Builder], tuple[int, int]]:
    """The constant's bytes are no int8."""

    def make(model: Builder) -> tuple[int, int]:
        x = tensor(model, 1, 4)
        wide, y = model.tensor((1, 4), dtype, 0.01, 0), model.tensor((1, 8), dtype, 0.01, 0)
        model.operator("QUANTIZE", [x], [wide])
        constant = model.constant(np.array([values], dtype), 0.01, 0)
        model.operator("CONCATENATION", [wide, constant], [y], {"axis": 1, **NONE})
        return x, y

    return make


def an_axis_gone_whose_begin_is_masked(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 5, 4), tensor(model, 1, 4)
    ranges = [ints(model, values) for values in ([0, 2, 0], [1, 3, 4], [1, 1, 1])]
    model.operator("STRIDED_SLICE", [x, *ranges], [y], {"beginMask": 7, "endMask": 5, "shrinkAxisMask": 2})
    return x, y


def reshape_alone(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 6), tensor(model, 1, 2, 3)
    model.operator("RESHAPE", [x, ints(model, [1, 2, 3])], [y])
    return x, y


def many_classes(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 300), tensor(model, 1, 300, step=1 / 256, zero=-128)
    model.operator("SOFTMAX", [x], [y], {"beta": 1.0})
    return x, y


def uint8_ends(model: Builder) -> tuple[int, int]:
    x, inside = model.tensor((1, 8), "uint8", 0.1, 130), tensor(model, 1, 8, zero=2)
    y = model.tensor((1, 8), "uint8", 0.05, 100)
    model.operator("QUANTIZE", [x], [inside])
    model.operator("QUANTIZE", [inside], [y])
    return x, y


def mean(
    axes: Sequence[int], shape: Sequence[int], made: Sequence[int]
) -> Callable[[Builder], tuple[int, int]]:
    def make(model: Builder) -> tuple[int, int]:
        x, y = tensor(model, *shape), tensor(model, *made)
        model.operator("MEAN", [x, ints(model, axes)], [y], {"keepDims": False})
        return x, y

    return make


def paddings_of_64_bits(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 4, zero=-128), tensor(model, 1, 7, zero=-128)
    model.operator("PAD", [x, model.constant(np.array([[0, 0], [1, 2]], np.int64))], [y], {})
    return x, y


def relu6_of_another_scale(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 64, zero=-100), tensor(model, 1, 64, step=0.001, zero=127)
    model.operator("RELU6", [x], [y])
    return x, y


def five_dimensions(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 2, 3, 2, 2), tensor(model, 1, 2, 3, 2, 2)
    model.operator("TRANSPOSE", [x, ints(model, [0, 4, 2, 1, 3])], [y], {})
    return x, y


def a_new_axis(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 6), tensor(model, 1, 1, 2)
    ranges = [ints(model, values) for values in ([0, 0, 1], [1, 0, 5], [1, 1, 2])]
    model.operator("STRIDED_SLICE", [x, *ranges], [y], {"newAxisMask": 2})
    return x, y


def an_ellipsis(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 2, 3, 6), tensor(model, 1, 2, 3, 2)
    ranges = [ints(model, values) for values in ([0, 1], [0, 5], [1, 2])]
    model.operator("STRIDED_SLICE", [x, *ranges], [y], {"ellipsisMask": 1})
    return x, y


def depthwise_without_bias(model: Builder) -> tuple[int, int]:
    x, y = tensor(model, 1, 5, 5, 3), tensor(model, 1, 5, 5, 3, step=0.2)
    data = np.random.default_rng(1).integers(-127, 128, (1, 3, 3, 3), dtype=np.int8)
    weights = model.constant(data, [0.01, 0.02, 0.005], axis=3)
    options = {"padding": PADDINGS["same"], "strideH": 1, "strideW": 1, "depthMultiplier": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("DEPTHWISE_CONV_2D", [x, weights], [y], {**options, **NONE})
    return x, y


CASES = [
    *(Named(f"{op} of one tensor twice", twice(op)) for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")),
    Named("mean of everything", mean((1, 2, 3), (1, 4, 3, 2), (1,))),
    Named("mean over the batch too", mean((0, 1), (1, 4, 3), (3,))),
    Named("joined to int16", joined_to_another_types_constant("int16", (1000, -2000, 3, 4))),
    Named("joined to uint8", joined_to_another_types_constant("uint8", (200, 255, 3, 4))),
    *(
        Named(make.__name__, make)
        for make in (
            input_read_late,
            output_read_again,
            joined_to_itself,
            joined_to_a_constant,
            an_axis_gone_whose_begin_is_masked,
            reshape_alone,
            many_classes,
            uint8_ends,
            paddings_of_64_bits,
            relu6_of_another_scale,
            five_dimensions,
            a_new_axis,
            an_ellipsis,
            depthwise_without_bias,
        )
    ),
]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_models_of_few_layers(target: str) -> None:
    check(CASES, target=target)


def test_a_batch_holds_different_cases() -> None:
    """Hypothesis begins with the simplest case; a batch of its copies would prove one case many times."""
    seen: list[int] = []

    @ONE_BATCH
    @given(batches(st.integers(0, 1 << 20), 30))
    def each(cases: Batch) -> None:
        seen.append(len(set(cases)))

    each()
    assert seen
    assert min(seen) > 20
